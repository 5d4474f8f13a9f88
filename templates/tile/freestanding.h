// The two functions that compilers may call in artifacts for a processor.

#pragma once

// Compilers may call these for copies of structures; an artifact has no library to find them in.
extern "C" {
__attribute__((visibility("hidden"), weak)) void* memcpy(void* to, const void* from,
                                                         unsigned long n) {
  void* result = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
  return result;
}
__attribute__((visibility("hidden"), weak)) void* memset(void* to, int value, unsigned long n) {
  void* result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
  return result;
}
}
