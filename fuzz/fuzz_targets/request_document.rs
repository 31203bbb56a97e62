#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aimu_fuzz::host::request_document(bytes));
