//! Tests that need no emulator. The other tests of the worker are in the package `integration_tests`, folder `tests/worker`.

mod interceptor;
