// Which sanitizers this build is instrumented for, for the few places that must know. 0 or 1.

#pragma once

#if defined(__has_feature)
#define KILN_ADDRESS_SANITIZER __has_feature(address_sanitizer)
#define KILN_THREAD_SANITIZER __has_feature(thread_sanitizer)
#else
#ifdef __SANITIZE_ADDRESS__
#define KILN_ADDRESS_SANITIZER 1
#else
#define KILN_ADDRESS_SANITIZER 0
#endif
#ifdef __SANITIZE_THREAD__
#define KILN_THREAD_SANITIZER 1
#else
#define KILN_THREAD_SANITIZER 0
#endif
#endif
