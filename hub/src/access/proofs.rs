//! What somebody shows at the door: a password with a one-time code, or a recovery code instead of the latter.
//!
//! | proof | form | source |
//! |---|---|---|
//! | password | 10 to 128 characters, any; Argon2id (19 MiB, 2 passes) | NIST SP 800-63B-4 3.1.1.2, OWASP Password Storage |
//! | one-time code | 6 digits, 30 s, SHA-1, one step either way, each used once | RFC 6238 |
//! | recovery code | 12 letters of 32, 60 bits, each used once | NIST SP 800-63B-4 4.2.1 |

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::{BASE32_NOPAD, Encoding, Specification};
use totp_rs::{Builder, Totp};
use yenban_protocol::crypto::{Hash, sha256};
use yenban_protocol::text::{compare_key, folded_contains};

use crate::entropy;
use crate::error::{HubError, Result};
use crate::limits::{ARGON2_KIB, ARGON2_PASSES, PASSWORD_MAX_CHARS, PASSWORD_MIN_CHARS, RECOVERY_CODES};

/// Seconds a one-time code holds.
const STEP_S: i64 = 30;
/// Bytes of its secret: as many as its hash gives (RFC 4226, 4).
const SECRET_BYTES: usize = 20;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weak {
    /// Fewer than [`PASSWORD_MIN_CHARS`].
    Short,
    /// More than [`PASSWORD_MAX_CHARS`].
    Long,
    /// One that is tried first everywhere, or holds the login, or the commune's name.
    Guessable,
}

/// What is tried first, folded: heads of public lists of leaked passwords and what people here type.
const TRIED_FIRST: [&str; 16] = [
    "123456", "111111", "000000", "987654", "112233", "abcdef", "abc123", "qwerty", "asdfgh", "password", "matkhau", "anhyeuem", "vietnam",
    "congan", "yenban", "admin",
];

/// Whether a password may be taken; `known`: words that whoever guesses knows.
pub fn password_strength(password: &str, known: &[&str]) -> std::result::Result<(), Weak> {
    let chars = password.chars().count();
    if chars < PASSWORD_MIN_CHARS {
        return Err(Weak::Short);
    }
    if chars > PASSWORD_MAX_CHARS {
        return Err(Weak::Long);
    }
    let mut rest: String = password.to_lowercase();
    for word in TRIED_FIRST {
        rest = rest.replace(word, "");
    }
    let distinct = rest.chars().collect::<std::collections::BTreeSet<_>>().len();
    let known = known.iter().any(|word| word.chars().count() >= 4 && folded_contains(password, word));
    // What is left without the words that are tried first must still be something to guess.
    if known || rest.chars().count() < PASSWORD_MIN_CHARS / 2 || distinct < 4 { Err(Weak::Guessable) } else { Ok(()) }
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(ARGON2_KIB, ARGON2_PASSES, 1, None).map_err(|e| HubError::Store(format!("argon2: {e}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The string to keep of a password; the same letters from another keyboard are the same password (NFC). Takes tens of milliseconds: not on a thread that serves.
pub fn hash_password(password: &str) -> Result<String> {
    let salt: [u8; 16] = entropy::array();
    let hash =
        argon2()?.hash_password_with_salt(compare_key(password).as_bytes(), &salt).map_err(|e| HubError::Store(format!("argon2: {e}")))?;
    Ok(hash.to_string())
}

/// Whether this is the password kept as `phc`; without one, as long as with one.
pub fn password_holds(password: &str, phc: Option<&str>) -> bool {
    /// Of no password: sixteen bytes of salt and thirty-two of nothing.
    const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let Ok(parsed) = PasswordHash::new(phc.unwrap_or(NOBODYS)) else { return false };
    let holds = Argon2::default().verify_password(compare_key(password).as_bytes(), &parsed).is_ok();
    holds && phc.is_some()
}

/// A new secret for one-time codes.
pub fn new_secret() -> Vec<u8> {
    entropy::array::<SECRET_BYTES>().to_vec()
}

/// A secret as people type it into an application: base 32.
pub fn secret_text(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// Reads it back; `None` unless it is one that [`new_secret`] could have made.
pub fn secret_from_text(text: &str) -> Option<Vec<u8>> {
    BASE32_NOPAD.decode(text.as_bytes()).ok().filter(|secret| secret.len() == SECRET_BYTES)
}

/// The address that an application for one-time codes scans.
pub fn secret_address(secret: &[u8], hub_name: &str, login: &str) -> String {
    let escaped = |text: &str| crate::console::query_value(&text.replace(':', " "));
    format!("otpauth://totp/{hub}:{}?secret={}&issuer={hub}", escaped(login), secret_text(secret), hub = escaped(hub_name))
}

fn totp(secret: &[u8]) -> Option<Totp> {
    Builder::new().with_secret(secret.to_vec()).with_skew(1).with_step_duration(STEP_S.unsigned_abs()).build().ok()
}

/// The step of a one-time code that holds at `now_ms`, or `None`.
pub fn code_step(secret: &[u8], code: &str, now_ms: i64) -> Option<i64> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let step = totp(secret)?.check(&digits, u64::try_from(now_ms.div_euclid(1000)).ok()?)?;
    i64::try_from(step).ok()
}

/// The one-time code of this moment, as an application shows it (for tests and headless officers).
pub fn code_now(secret: &[u8], now_ms: i64) -> Option<String> {
    Some(totp(secret)?.generate(u64::try_from(now_ms.div_euclid(1000)).ok()?).to_string())
}

/// Crockford's base 32: no letter that is read as another.
static RECOVERY: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    specification.encoding().expect("thirty-two distinct symbols are an encoding")
});

/// New recovery codes: as they are shown once, and the hashes to keep.
pub fn new_recovery_codes() -> (Vec<String>, Vec<Hash>) {
    let codes: Vec<String> = (0..RECOVERY_CODES)
        .map(|_| {
            let text = RECOVERY.encode(&entropy::array::<10>());
            [&text[0..4], &text[4..8], &text[8..12]].join("-")
        })
        .collect();
    let hashes = codes.iter().filter_map(|code| recovery_hash(code)).collect();
    (codes, hashes)
}

/// The hash of a recovery code as somebody typed it; `None` when it cannot be one.
pub fn recovery_hash(typed: &str) -> Option<Hash> {
    let read = |c: char| match c.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    };
    let code: String = typed.chars().filter(|c| c.is_ascii_alphanumeric()).map(read).collect();
    (code.len() == 12).then(|| sha256(format!("yb1/recovery {code}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_holds_and_no_other_does() {
        let phc = hash_password("ruộng bậc thang xanh").unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(password_holds("ruộng bậc thang xanh", Some(&phc)));
        assert!(password_holds("ruo\u{323}\u{302}ng ba\u{323}\u{302}c thang xanh", Some(&phc)), "typed apart");
        assert!(!password_holds("ruong bac thang xanh", Some(&phc)));
        assert!(!password_holds("", None) && !password_holds("ruộng bậc thang xanh", Some("broken")));
    }

    #[test]
    fn what_is_guessed_first_is_no_password() {
        assert_eq!(password_strength("ngắn thôi", &[]), Err(Weak::Short));
        assert_eq!(password_strength(&"x".repeat(129), &[]), Err(Weak::Long));
        for weak in ["1234567890", "aaaaaaaaaaaa", "Password123456", "matkhau123456", "congan123456"] {
            assert_eq!(password_strength(weak, &[]), Err(Weak::Guessable), "{weak}");
        }
        assert_eq!(password_strength("Nguyễn Văn Páo 19", &["nguyen van pao"]), Err(Weak::Guessable));
        assert_eq!(password_strength("ruộng bậc thang xanh", &["pao"]), Ok(()));
        assert_eq!(password_strength("T4y-Bac.gio lon", &["Lò Văn Páo"]), Ok(()));
    }

    #[test]
    fn one_time_codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six of its eight digits.
        let secret = b"12345678901234567890";
        for (at_s, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (20_000_000_000, "353130")] {
            assert_eq!(code_now(secret, at_s * 1000).as_deref(), Some(code));
            assert_eq!(code_step(secret, code, at_s * 1000), Some(at_s / 30));
        }
        assert_eq!(code_step(secret, "287 082", 59_000 + 30_000), Some(1), "one step late, typed in two groups");
        assert_eq!(code_step(secret, "287082", 59_000 + 90_000), None, "too late");
        for wrong in ["", "28708", "2870822", "28708a", "２８７０８２"] {
            assert_eq!(code_step(secret, wrong, 59_000), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_typed_or_scanned() {
        let secret = new_secret();
        assert_eq!(secret_from_text(&secret_text(&secret)), Some(secret.clone()));
        assert_eq!(secret_from_text("AAAA"), None);
        let address = secret_address(&secret, "Công an xã Mai Hịch", "pao: x");
        assert!(address.starts_with("otpauth://totp/C%C3%B4ng%20an") && address.contains(":pao%20%20x?secret="), "{address}");
    }

    #[test]
    fn recovery_codes_are_read_as_people_write_them() {
        let (codes, hashes) = new_recovery_codes();
        assert_eq!((codes.len(), hashes.len()), (RECOVERY_CODES, RECOVERY_CODES));
        let typed = codes[3].to_uppercase().replace('0', "O").replace('1', "I").replace('-', " ");
        assert_eq!(recovery_hash(&typed), Some(hashes[3]));
        assert_eq!(recovery_hash("not one"), None);
    }
}
