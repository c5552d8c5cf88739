/* What every function is marked with that runs in a signal handler and calls one that does not return. */
#ifndef BASE_HANDLER_H
#define BASE_HANDLER_H

/* Before such a call the address sanitizer asks for the bounds of the stack, which takes memory: a handler
 * that came in the midst of malloc would wait for itself for ever. */
#define HANDLER __attribute__((no_sanitize_address))

#endif
