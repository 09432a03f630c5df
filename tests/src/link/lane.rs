//! One direction of a link by the numbers, without clock or socket: when which byte arrives.
//!
//! Packets leave one after another as fast as the line takes them, travel half a round trip and arrive in order. One that
//! is lost leaves again when its sender learns of it: a round trip and a quarter after a later one arrived (RFC 8985, the
//! usual reordering window), else after two round trips (its probe of the tail), each further loss twice as late. What
//! follows it waits: that is how a stream shows loss. Not modelled: the congestion window. Ten packets go at once on any
//! system (RFC 6928), which is three times what an EDGE link holds; a sender that halves that still fills it.
//!
//! On the line a packet costs [`HEADER_BYTES`] more than it carries, every second packet an acknowledgement the other way.
//! Link-layer frames below IP are not counted.

use std::collections::VecDeque;

use crate::walk::Noise;

/// Largest packet, its headers included, in bytes.
pub const PACKET_BYTES: usize = 1_400;
/// IPv4, TCP and its timestamps, in bytes.
pub const HEADER_BYTES: usize = 20 + 20 + 12;
/// A SYN or its answer, with the options usual there, in bytes.
pub const SYN_BYTES: usize = 60;
/// First wait for the answer to a SYN (RFC 6298), in microseconds.
pub const SYN_AGAIN_US: u64 = 1_000_000;
/// Bytes that may wait for the line: the first ten packets of a sender, which takes no more until some are acknowledged.
pub const BUFFER_BYTES: usize = 10 * PAYLOAD_BYTES;
const PAYLOAD_BYTES: usize = PACKET_BYTES - HEADER_BYTES;

/// What went over a line so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes of the stream, each once.
    pub payload_bytes: u64,
    /// Bytes on the line: headers, what was sent again, acknowledgements, opening and closing.
    pub line_bytes: u64,
    /// Packets, those sent again and acknowledgements included.
    pub packets: u64,
    /// Packets that were lost.
    pub lost: u64,
}

/// A line in one direction, shared by all streams on it.
#[derive(Debug)]
pub struct Line {
    bits_per_s: u64,
    loss_per_mille: u32,
    noise: Noise,
    free_us: u64,
    traffic: Traffic,
}

impl Line {
    /// A line that loses so many of a thousand packets; the n-th packet's fate is decided by `seed`.
    pub fn new(bits_per_s: u64, loss_per_mille: u32, seed: u64) -> Line {
        Line { bits_per_s: bits_per_s.max(1), loss_per_mille, noise: Noise::new(seed), free_us: 0, traffic: Traffic::default() }
    }

    /// What went over it.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Sends a packet as soon as the line is free; answers when its last bit has left, microseconds.
    pub fn pass(&mut self, ready_us: u64, bytes: usize) -> u64 {
        let bits = bytes as u64 * 8;
        self.free_us = self.free_us.max(ready_us) + bits * 1_000_000 / self.bits_per_s;
        self.traffic.line_bytes += bytes as u64;
        self.traffic.packets += 1;
        self.free_us
    }

    fn loses(&mut self) -> bool {
        let lost = self.noise.below(1_000) < self.loss_per_mille;
        self.traffic.lost += u64::from(lost);
        lost
    }
}

/// Opens a connection at `now_us`; answers when the other side hears of it and when this side may send, microseconds.
pub fn open(now_us: u64, round_trip_us: u64, up: &mut Line, down: &mut Line) -> (u64, u64) {
    let (mut sent_us, mut wait_us) = (now_us, SYN_AGAIN_US);
    let mut heard_us = None;
    loop {
        let arrives_us = up.pass(sent_us, SYN_BYTES) + round_trip_us / 2;
        if !up.loses() {
            let heard_us = *heard_us.get_or_insert(arrives_us);
            let answered_us = down.pass(arrives_us, SYN_BYTES) + round_trip_us / 2;
            if !down.loses() {
                return (heard_us, answered_us);
            }
        }
        sent_us += wait_us;
        wait_us *= 2;
    }
}

#[derive(Debug)]
struct Packet {
    bytes: Vec<u8>,
    /// `None` while it is lost.
    arrives_us: Option<u64>,
    again_us: u64,
    losses: u32,
}

/// One direction of one stream.
#[derive(Debug)]
pub struct Lane {
    round_trip_us: u64,
    waiting: VecDeque<u8>,
    waiting_since_us: u64,
    flying: VecDeque<Packet>,
    unacknowledged: u32,
}

impl Lane {
    /// A lane that may send from `open_us` on.
    pub fn new(round_trip_us: u64, open_us: u64) -> Lane {
        Lane { round_trip_us, waiting: VecDeque::new(), waiting_since_us: open_us, flying: VecDeque::new(), unacknowledged: 0 }
    }

    /// Bytes it takes now.
    pub fn room(&self) -> usize {
        BUFFER_BYTES.saturating_sub(self.waiting.len())
    }

    /// Whether nothing is on its way.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.flying.is_empty()
    }

    /// Takes bytes of the sender.
    pub fn offer(&mut self, now_us: u64, bytes: &[u8]) {
        if self.waiting.is_empty() {
            self.waiting_since_us = self.waiting_since_us.max(now_us);
        }
        self.waiting.extend(bytes);
    }

    /// Moves on to `now_us`; answers what has arrived since.
    pub fn run(&mut self, now_us: u64, line: &mut Line, back: &mut Line) -> Vec<u8> {
        while line.free_us <= now_us && self.send_one(now_us, line) {}
        let mut arrived = Vec::new();
        while let Some(at_us) = self.flying.front().and_then(|p| p.arrives_us).filter(|at| *at <= now_us) {
            arrived.extend(self.flying.pop_front().into_iter().flat_map(|p| p.bytes));
            self.unacknowledged += 1;
            if self.unacknowledged == 2 {
                self.unacknowledged = 0;
                back.pass(at_us, HEADER_BYTES);
            }
        }
        arrived
    }

    /// When there is something to do next, microseconds; `None` while nothing is on its way.
    pub fn next_us(&self, line: &Line) -> Option<u64> {
        let arrives = self.flying.front().and_then(|p| p.arrives_us);
        let again = self.lost().map(|(_, p)| p.again_us.max(line.free_us));
        let first = (!self.waiting.is_empty()).then(|| self.waiting_since_us.max(line.free_us));
        [arrives, again, first].into_iter().flatten().min()
    }

    fn lost(&self) -> Option<(usize, &Packet)> {
        self.flying.iter().enumerate().filter(|(_, p)| p.arrives_us.is_none()).min_by_key(|(_, p)| p.again_us)
    }

    /// Sends what is to be sent again, else what waits.
    fn send_one(&mut self, now_us: u64, line: &mut Line) -> bool {
        let (index, ready_us) = match self.lost() {
            Some((index, packet)) if packet.again_us <= now_us => (index, packet.again_us),
            _ if !self.waiting.is_empty() && self.waiting_since_us <= now_us => {
                let ready_us = self.waiting_since_us;
                let length = self.waiting.len().min(PAYLOAD_BYTES);
                let bytes: Vec<u8> = self.waiting.drain(..length).collect();
                line.traffic.payload_bytes += length as u64;
                self.flying.push_back(Packet { bytes, arrives_us: None, again_us: 0, losses: 0 });
                (self.flying.len() - 1, ready_us)
            }
            _ => return false,
        };
        let left_us = line.pass(ready_us, self.flying[index].bytes.len() + HEADER_BYTES);
        self.waiting_since_us = self.waiting_since_us.max(left_us);
        let packet = &mut self.flying[index];
        if line.loses() {
            packet.again_us = left_us + ((2 * self.round_trip_us) << packet.losses.min(6));
            packet.losses += 1;
            return true;
        }
        packet.arrives_us = Some(left_us + self.round_trip_us / 2);
        // What arrives tells of what is missing before it.
        let told_us = left_us + self.round_trip_us + self.round_trip_us / 4;
        for missing in self.flying.iter_mut().take(index).filter(|p| p.arrives_us.is_none()) {
            missing.again_us = missing.again_us.min(told_us);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT_US: u64 = 600_000;

    /// Sends `bytes` at once; answers when the last of them arrived.
    fn time_for(bytes: usize, loss_per_mille: u32, seed: u64) -> (u64, Traffic) {
        let (mut line, mut back) = (Line::new(64_000, loss_per_mille, seed), Line::new(64_000, 0, 0));
        let mut lane = Lane::new(RTT_US, 0);
        let sent: Vec<u8> = (0..bytes).map(|n| (n % 251) as u8).collect();
        let (mut offered, mut came, mut now_us) = (0, Vec::new(), 0);
        loop {
            let some = lane.room().min(bytes - offered);
            lane.offer(now_us, &sent[offered..offered + some]);
            offered += some;
            came.extend(lane.run(now_us, &mut line, &mut back));
            match lane.next_us(&line) {
                Some(next_us) => now_us = now_us.max(next_us),
                None => break,
            }
        }
        assert_eq!(came, sent, "in order and whole");
        (now_us, line.traffic())
    }

    #[test]
    fn bytes_take_the_time_of_the_line_and_half_a_round_trip() {
        let (took_us, traffic) = time_for(PAYLOAD_BYTES * 5, 0, 1);
        assert_eq!(took_us, 5 * 1_400 * 8 * 1_000_000 / 64_000 + RTT_US / 2);
        assert_eq!((traffic.line_bytes, traffic.payload_bytes, traffic.packets, traffic.lost), (7_000, 6_740, 5, 0));
        assert_eq!(time_for(1, 0, 1).0, 53 * 8 * 1_000_000 / 64_000 + RTT_US / 2);
    }

    #[test]
    fn what_exceeds_the_buffer_waits_for_room() {
        let (took_us, traffic) = time_for(PAYLOAD_BYTES * 40, 0, 1);
        assert_eq!(took_us, 40 * 1_400 * 8 * 1_000_000 / 64_000 + RTT_US / 2);
        assert_eq!(traffic.packets, 40);
        let mut lane = Lane::new(RTT_US, 0);
        lane.offer(0, &vec![0; BUFFER_BYTES]);
        assert_eq!(lane.room(), 0);
    }

    #[test]
    fn a_loss_costs_a_round_trip_or_more_and_holds_back_what_follows() {
        let (whole_us, _) = time_for(6_740, 0, 0);
        let one_lost = (0..200).map(|seed| time_for(6_740, 100, seed)).filter(|(_, t)| t.lost == 1);
        let mut seen = 0;
        for (took_us, traffic) in one_lost {
            // Between the first packet, whose repetition overlaps with the rest, and the last, for which only a probe helps.
            assert!((whole_us + 175_000..=whole_us + 2 * RTT_US + 175_000).contains(&took_us), "{took_us} of {whole_us}");
            assert_eq!(traffic.line_bytes, 8_400, "what was sent again is counted");
            seen += 1;
        }
        assert!(seen > 20);
    }

    #[test]
    fn so_many_are_lost_as_it_says_and_the_same_again_with_the_same_seed() {
        let (took_us, traffic) = time_for(PAYLOAD_BYTES * 20_000, 20, 7);
        assert!((300..=520).contains(&traffic.lost), "{} of 20,000", traffic.lost);
        assert_eq!(time_for(PAYLOAD_BYTES * 20_000, 20, 7), (took_us, traffic));
        assert_ne!(time_for(PAYLOAD_BYTES * 20_000, 20, 8).0, took_us);
    }

    #[test]
    fn acknowledgements_take_their_share_of_the_other_direction() {
        let (mut line, mut back) = (Line::new(64_000, 0, 0), Line::new(64_000, 0, 0));
        let mut lane = Lane::new(RTT_US, 0);
        lane.offer(0, &vec![0; PAYLOAD_BYTES * 4]);
        let mut now_us = 0;
        while let Some(next_us) = lane.next_us(&line) {
            now_us = now_us.max(next_us);
            lane.run(now_us, &mut line, &mut back);
        }
        assert_eq!(back.traffic(), Traffic { payload_bytes: 0, line_bytes: 2 * HEADER_BYTES as u64, packets: 2, lost: 0 });
    }

    #[test]
    fn opening_takes_a_round_trip_and_a_lost_syn_a_second() {
        let (mut up, mut down) = (Line::new(64_000, 0, 0), Line::new(64_000, 0, 0));
        let on_line_us = SYN_BYTES as u64 * 8 * 1_000_000 / 64_000;
        assert_eq!(open(0, RTT_US, &mut up, &mut down), (on_line_us + RTT_US / 2, 2 * on_line_us + RTT_US));
        let late = (0..100).map(|seed| open(0, RTT_US, &mut Line::new(64_000, 200, seed), &mut Line::new(64_000, 0, 0)).1);
        assert!(late.into_iter().any(|us| us == 2 * on_line_us + RTT_US + SYN_AGAIN_US));
    }
}
