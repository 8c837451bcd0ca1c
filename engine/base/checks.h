/*
 * checks: whether this build looks at whole tables at every transition.
 *
 * Asserts that cost a few comparisons are in every build without NDEBUG; walks through tables only in those
 * with a sanitizer, which are for tests.
 */
#ifndef FERRYFS_ENGINE_BASE_CHECKS_H
#define FERRYFS_ENGINE_BASE_CHECKS_H

#if !defined(NDEBUG) && (defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__))
enum { CHECKS_TABLES = 1 };
#else
enum { CHECKS_TABLES = 0 };
#endif

#endif
