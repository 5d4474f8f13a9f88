// A stack of its own that runs a function until it hands control back.
//
//     Fibre fibre;
//     fibre.start(body, argument);      // nothing runs yet
//     fibre.resume();                   // runs until the body calls suspend() or returns
//
// A fibre that is started again or destroyed forgets what it was doing without unwinding: code on
// it must own nothing. One thread at a time.

#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>

namespace kiln::runtime::emulator {

class Fibre {
 public:
  using Body = void (*)(void* argument);

  Fibre();
  ~Fibre();
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;

  void start(Body body, void* argument);
  void resume();
  bool done() const { return done_; }
  // Called on the fibre.
  void suspend();

 private:
  static void enter(boost::context::detail::transfer_t from);

  char* memory_ = nullptr;  // a guard page, then the stack
  boost::context::detail::fcontext_t inside_ = nullptr, outside_ = nullptr;
  Body body_ = nullptr;
  void* argument_ = nullptr;
  bool done_ = true;
  // The resumer's stack, as far as sanitizers have to know.
  [[maybe_unused]] const void* outside_stack_ = nullptr;
  [[maybe_unused]] size_t outside_size_ = 0;
};

}  // namespace kiln::runtime::emulator
