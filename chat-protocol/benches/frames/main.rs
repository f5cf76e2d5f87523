//! How long it takes to read and to write one frame of each kind, in each dialect.
//!
//! `baseline` is `serde_json` with a plain struct for the `typed` chat frame: what a server would pay without dialects.

#![allow(clippy::unwrap_used, reason = "a frame that is not valid has no time")]

mod samples;

use std::hint::black_box;

use chat_protocol::{Command, Dialect, EncodeContext, Endpoint, Limits};
use criterion::{Criterion, Throughput};

use samples::{CLIENT_FRAMES, PlainClientFrame, PlainServerFrame, events, posted};

fn client_frames(criterion: &mut Criterion) {
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("client");
    for (dialect, name, frame) in CLIENT_FRAMES {
        let command: Command = dialect.decode_command(frame, &limits).unwrap();
        group.throughput(Throughput::Bytes(frame.len() as u64));
        group.bench_function(format!("recognize/{dialect}/{name}"), |bencher| {
            bencher.iter(|| Dialect::recognize(black_box(frame)));
        });
        group.bench_function(format!("decode/{dialect}/{name}"), |bencher| {
            bencher.iter(|| dialect.decode_command(black_box(frame), &limits));
        });
        group.bench_function(format!("encode/{dialect}/{name}"), |bencher| {
            bencher.iter(|| dialect.encode_command(black_box(&command)));
        });
    }
    group.finish();
}

fn server_frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("server");
    for (name, endpoint, event) in events() {
        let context = EncodeContext { endpoint, ..EncodeContext::default() };
        for &dialect in Dialect::ALL {
            // The endpoint is all one to the dialects that have no listener.
            let is_distinct = endpoint == Endpoint::Room || dialect == Dialect::Command;
            let Some(frame) = dialect.encode_event(&event, &context).filter(|_| is_distinct) else {
                continue;
            };
            group.throughput(Throughput::Bytes(frame.len() as u64));
            group.bench_function(format!("encode/{dialect}/{name}"), |bencher| {
                bencher.iter(|| dialect.encode_event(black_box(&event), &context));
            });
            group.bench_function(format!("decode/{dialect}/{name}"), |bencher| {
                bencher.iter(|| dialect.decode_event(black_box(&frame)));
            });
        }
    }
    group.finish();
}

fn baseline(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("baseline");
    for (dialect, name, frame) in CLIENT_FRAMES {
        if dialect == Dialect::Typed && name.starts_with("chat_message") {
            group.throughput(Throughput::Bytes(frame.len() as u64));
            group.bench_function(format!("client/decode/{name}"), |bencher| {
                bencher.iter(|| {
                    serde_json::from_str::<PlainClientFrame>(black_box(frame)).map(|frame| frame.message)
                });
            });
        }
    }
    let frame = Dialect::Typed.encode_event(&posted(), &EncodeContext::default()).unwrap();
    let plain: PlainServerFrame = serde_json::from_str(&frame).unwrap();
    group.throughput(Throughput::Bytes(frame.len() as u64));
    group.bench_function("server/encode/chat_message", |bencher| {
        bencher.iter(|| serde_json::to_string(black_box(&plain)));
    });
    group.bench_function("server/decode/chat_message", |bencher| {
        bencher.iter(|| serde_json::from_str::<PlainServerFrame>(black_box(&frame)));
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    client_frames(&mut criterion);
    server_frames(&mut criterion);
    baseline(&mut criterion);
    criterion.final_summary();
}
