//! Serializers, with what serde_json takes for the same beside them.

use bennu_benches::sample::{MSG_REF, Sample, TOPIC};
use bennu_core::wire::Outgoing;
use bennu_core::{Kind, Name, Payload, RawJson, Ref, Serializer};
use criterion::{BenchmarkId, Criterion, Throughput};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::hint::black_box;

/// What a text message of V2 is to serde: the payload is checked, and not taken apart.
type Tuple<'a> = (Option<Text<'a>>, Option<Text<'a>>, Text<'a>, Text<'a>, &'a RawValue);

/// Borrowed unless it holds escapes, as in the core.
#[derive(Deserialize)]
struct Text<'a>(
    #[serde(borrow)]
    #[allow(dead_code, reason = "it is made, which is what takes time")]
    Cow<'a, str>,
);

/// The same of V1.
#[derive(Deserialize)]
#[allow(dead_code, reason = "it is made, which is what takes time")]
struct Object<'a> {
    #[serde(borrow)]
    join_ref: Option<Text<'a>>,
    #[serde(borrow, rename = "ref")]
    msg_ref: Option<Text<'a>>,
    #[serde(borrow)]
    topic: Text<'a>,
    #[serde(borrow)]
    event: Text<'a>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[derive(Serialize)]
struct Reply<T> {
    response: T,
    status: &'static str,
}

fn samples() -> [Sample; 3] {
    [Sample::heartbeat(), Sample::chat(), Sample::nested()]
}

pub(crate) fn decode(c: &mut Criterion) {
    for serializer in Serializer::ALL {
        let mut group = c.benchmark_group(format!("decode {serializer:?} text"));
        for sample in samples() {
            let text = sample.text(serializer);
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_with_input(BenchmarkId::new("bennu", sample.name), &*text, |b, text| {
                b.iter(|| serializer.decode_text(black_box(text)));
            });
            group.bench_with_input(BenchmarkId::new("serde_json, raw", sample.name), &*text, |b, text| {
                match serializer {
                    Serializer::V1 => b.iter(|| serde_json::from_str::<Object<'_>>(black_box(text))),
                    Serializer::V2 => b.iter(|| serde_json::from_str::<Tuple<'_>>(black_box(text))),
                    Serializer::Custom(_) => unreachable!("only those that are built in are measured"),
                }
            });
            group.bench_with_input(BenchmarkId::new("serde_json, tree", sample.name), &*text, |b, text| {
                b.iter(|| serde_json::from_str::<Value>(black_box(text)));
            });
        }
        group.finish();
    }

    let mut group = c.benchmark_group("decode V2 binary");
    for sample in [Sample::chat(), Sample::nested()] {
        let bytes = sample.binary();
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_with_input(BenchmarkId::new("bennu", sample.name), &*bytes, |b, bytes| {
            b.iter(|| Serializer::V2.decode(Kind::Binary, black_box(bytes)));
        });
    }
    group.finish();
}

pub(crate) fn encode(c: &mut Criterion) {
    let refs = (Ref::text("1"), Ref::text(MSG_REF));
    let topic = Name::from(TOPIC);

    for serializer in Serializer::ALL {
        let mut group = c.benchmark_group(format!("encode {serializer:?} text, a reply"));
        for sample in samples() {
            let json = &*sample.payload;
            let payload = Payload::from(RawJson::parse(json).expect("a payload is JSON"));
            group.throughput(Throughput::Bytes(json.len() as u64));
            group.bench_function(BenchmarkId::new("bennu", sample.name), |b| {
                b.iter(|| serializer.encode(black_box(&reply(&refs, &topic, &payload))));
            });
            if serializer == Serializer::V1 {
                continue; // The floors would differ in the names of keys only.
            }
            let raw: &RawValue = serde_json::from_str(json).expect("a payload is JSON");
            group.bench_function(BenchmarkId::new("serde_json, raw", sample.name), |b| {
                b.iter(|| serde_json::to_vec(black_box(&items(raw))));
            });
            let tree: Value = serde_json::from_str(json).expect("a payload is JSON");
            group.bench_function(BenchmarkId::new("serde_json, tree", sample.name), |b| {
                b.iter(|| serde_json::to_vec(black_box(&items(&tree))));
            });
        }
        group.finish();
    }

    let mut group = c.benchmark_group("encode V2 binary, a reply");
    for sample in [Sample::chat(), Sample::nested()] {
        let payload = Payload::binary(sample.payload.clone());
        group.throughput(Throughput::Bytes(payload.len() as u64));
        group.bench_function(BenchmarkId::new("bennu", sample.name), |b| {
            b.iter(|| Serializer::V2.encode(black_box(&reply(&refs, &topic, &payload))));
        });
    }
    group.finish();
}

fn reply<'a>(
    (join_ref, msg_ref): &'a (Ref, Ref),
    topic: &'a Name<'a>,
    response: &'a Payload,
) -> Outgoing<'a> {
    Outgoing::Reply { join_ref: Some(join_ref), msg_ref: Some(msg_ref), topic, status: "ok", response }
}

/// The same for serde.
fn items<T: Serialize>(response: T) -> impl Serialize {
    ("1", MSG_REF, TOPIC, "phx_reply", Reply { response, status: "ok" })
}
