//! Looking for special bytes in short texts.

/// Whether one of the bytes is special.
///
/// Sixteen bytes at a time: the compiler compares all of them with one instruction, on x86-64 and on arm64.
#[inline]
pub fn any(text: &[u8], is_special: impl Fn(u8) -> bool) -> bool {
    let among = |bytes: &[u8]| bytes.iter().fold(false, |any, byte| any | is_special(*byte));
    let (chunks, rest) = text.as_chunks::<16>();
    for chunk in chunks {
        // The way out keeps the compiler from working on many chunks at once, for which it would gather their bytes.
        if among(chunk) {
            return true;
        }
    }
    // The last ones again rather than what is left of them one by one.
    match (text.last_chunk::<16>(), text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(last), ..) => among(last),
        (None, Some(first), Some(last)) => among(first) | among(last),
        _ => among(rest),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn a_special_byte_is_found_wherever_it_is(text in proptest::collection::vec(0_u8..4, 0..70), special in 0_u8..6) {
            prop_assert_eq!(super::any(&text, |byte| byte == special), text.contains(&special));
        }
    }
}
