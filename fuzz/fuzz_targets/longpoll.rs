#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| bennu_proof::fuzz::longpoll(input));
