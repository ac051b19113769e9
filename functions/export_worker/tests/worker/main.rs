//! What needs no tables. The other tests of the worker need an emulator: `tests/worker`.

mod interceptor;
