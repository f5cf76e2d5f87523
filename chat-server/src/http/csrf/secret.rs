//! The secret of a browser, and the masks under which it shows itself.

use subtle::ConstantTimeEq;

/// Characters of a secret; a token is a mask of so many, and the secret under it.
const LENGTH: usize = 32;

const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const SIZE: u8 = 62;

/// The largest number of bytes that is a multiple of the alphabet's; a byte beyond it would favour some characters.
const FAIR: u8 = 4 * SIZE;

/// 32 letters and digits, as their places in the alphabet.
#[derive(Clone, Copy)]
pub(super) struct Secret([u8; LENGTH]);

impl Secret {
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let mut places = [0; LENGTH];
        let mut bytes = [0; 2 * LENGTH];
        let mut empty = places.iter_mut().peekable();
        while empty.peek().is_some() {
            getrandom::fill(&mut bytes)?;
            let fair = bytes.iter().filter(|byte| **byte < FAIR);
            // `fair` comes first: the one that ends a zip by being empty must not cost the other an element.
            for (byte, place) in fair.zip(empty.by_ref()) {
                *place = byte % SIZE;
            }
        }
        Ok(Self(places))
    }

    /// Reads a secret, or the secret under a mask.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() == LENGTH {
            return read(text).map(Self);
        }
        let (mask, cipher) = text.split_at_checked(LENGTH)?;
        let (mask, cipher) = (read(mask)?, read(cipher)?);
        Some(Self(combine(cipher, mask, |cipher, mask| cipher + SIZE - mask)))
    }

    pub(super) fn reveal(&self) -> String {
        write(self.0)
    }

    pub(super) fn masked(&self) -> Result<String, getrandom::Error> {
        let Self(mask) = Self::random()?;
        Ok(write(mask) + &write(combine(self.0, mask, |secret, mask| secret + mask)))
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// The places of exactly 32 characters of the alphabet.
fn read(text: &str) -> Option<[u8; LENGTH]> {
    let mut places: [u8; LENGTH] = text.as_bytes().try_into().ok()?;
    for place in &mut places {
        *place = match *place {
            letter @ b'a'..=b'z' => letter - b'a',
            letter @ b'A'..=b'Z' => letter - b'A' + 26,
            digit @ b'0'..=b'9' => digit - b'0' + 52,
            _ => return None,
        };
    }
    Some(places)
}

fn write(places: [u8; LENGTH]) -> String {
    places.iter().filter_map(|place| ALPHABET.get(usize::from(*place))).copied().map(char::from).collect()
}

fn combine(mut one: [u8; LENGTH], other: [u8; LENGTH], sum: impl Fn(u8, u8) -> u8) -> [u8; LENGTH] {
    for (one, other) in one.iter_mut().zip(other) {
        *one = sum(*one, other) % SIZE;
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "abcdefghijABCDEFGHIJ0123456789zZ";

    #[test]
    fn djangos_masks_come_off() {
        for token in [
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabcdefghijABCDEFGHIJ0123456789zZ",
            "999999999999999999999999999999999abcdefghizABCDEFGHIZ012345678yY",
            "Qwertyuiop0123456789ASDFGHJKLzxcQxguxDApwyqsuwyACEGIqJvyACFHJyW1",
            SECRET,
        ] {
            assert_eq!(Secret::parse(token).unwrap().reveal(), SECRET, "{token}");
        }
    }

    #[test]
    fn every_mask_is_another_and_comes_off() {
        let secret = Secret::random().unwrap();
        let [one, two] = [secret.masked().unwrap(), secret.masked().unwrap()];
        assert_ne!(one, two);
        for token in [one, two] {
            assert_eq!(token.len(), 64);
            assert!(Secret::parse(&token).unwrap().is_same(&secret));
        }
        assert!(!Secret::random().unwrap().is_same(&secret));
    }

    #[test]
    fn every_character_comes_up() {
        let all: String = (0..100).map(|_| Secret::random().unwrap().reveal()).collect();
        for character in ALPHABET {
            assert!(all.contains(char::from(*character)), "{character}");
        }
    }

    #[test]
    fn what_is_no_token() {
        for text in ["", &SECRET[1..], &format!("{SECRET}a"), &SECRET.replace('a', "-"), &"é".repeat(16)] {
            assert!(Secret::parse(text).is_none(), "{text}");
        }
        assert!(Secret::parse(&"é".repeat(32)).is_none());
        assert!(Secret::parse(&format!("a{}a", "é".repeat(31))).is_none());
    }
}
