//! What a check-in costs on the wire: salts, seal, signature, token and padding included.

mod common;

use common::{Seeded, check_ins, run};
use yenban_protocol::cert::Token;
use yenban_protocol::crypto::{SecretKey, Signer as _};
use yenban_protocol::id::Epoch;
use yenban_protocol::signed::Signed;

fn bytes_each(n: usize, first: u64) -> f64 {
    let mut rng = Seeded::new("sizes");
    let (device, hub) = (SecretKey::generate(&mut rng), SecretKey::generate(&mut rng));
    let token = Signed::sign(Token { hub_time_ms: 1_763_740_800_000, epoch: Epoch([3; 8]) }, &hub).expect("signs");
    let run = run(check_ins(&mut rng, n), first, &device, Some(token.into_bytes()));
    let sealed = run.seal(&mut rng, &hub.public_key()).expect("seals");
    let (opened, _) = yenban_protocol::segment::open(&sealed, &hub).expect("opens");
    assert_eq!(opened, run);
    sealed.len() as f64 / n as f64
}

#[test]
fn a_check_in_costs_at_most_42_bytes_in_a_segment_of_500_and_70_in_one_of_20() {
    let (large, small, lone) = (bytes_each(500, 1_000), bytes_each(20, 1_000), bytes_each(1, 1_000));
    println!("bytes a check-in: {large:.1} at 500, {small:.1} at 20, {lone:.0} alone");
    assert!(large <= 42.0, "{large:.1} bytes at 500");
    assert!(small <= 70.0, "{small:.1} bytes at 20");
}
