#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aimu_fuzz::streams::event_stream(bytes));
