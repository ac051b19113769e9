//! Tests of the deployed system: see `integration/`.
