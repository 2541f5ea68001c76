import { attributes, readKeyValue } from './decode-common.js'
import type {
  ExponentialBuckets,
  ExponentialHistogramPoint,
  HistogramPoint,
  NumberPoint,
  SummaryPoint,
} from './metrics-types.js'
import { fields, type ProtobufReader } from './protobuf.js'

// The data points of `metrics.proto`, each length-delimited.

const NUMBER = fields(2, 3, 4, 6, 7, 8)
const HISTOGRAM = fields(2, 3, 4, 5, 6, 7, 9, 10, 11, 12)
const EXPONENTIAL = fields(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14)
const BUCKETS = fields(1, 2)
const SUMMARY = fields(2, 3, 4, 5, 6, 7, 8)
const QUANTILE = fields(1, 2)

function point() {
  return { attributes: attributes(), startTimeUnixNano: 0n, timeUnixNano: 0n, flags: 0 }
}

/** `NumberDataPoint`. @throws OtlpError */
export function readNumberPoint(reader: ProtobufReader): NumberPoint {
  const into: NumberPoint = { ...point(), value: null }
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x3a) readKeyValue(reader, into.attributes)
    else if (tag === 0x11) into.startTimeUnixNano = reader.bigFixed64()
    else if (tag === 0x19) into.timeUnixNano = reader.bigFixed64()
    else if (tag === 0x21) into.value = reader.double()
    else if (tag === 0x31) into.value = reader.sfixed64()
    else if (tag === 0x40) into.flags = reader.uint32()
    else reader.skip(tag, NUMBER)
  }
  reader.leave(outer)
  return into
}

/** `HistogramDataPoint`. @throws OtlpError */
export function readHistogramPoint(reader: ProtobufReader): HistogramPoint {
  const into: HistogramPoint = {
    ...point(),
    count: 0,
    sum: null,
    min: null,
    max: null,
    bucketCounts: [],
    explicitBounds: [],
  }
  const outer = reader.enter()
  while (reader.pos < reader.end) readHistogramField(reader, reader.tag(), into)
  reader.leave(outer)
  return into
}

function readHistogramField(reader: ProtobufReader, tag: number, into: HistogramPoint): void {
  if (tag === 0x4a) readKeyValue(reader, into.attributes)
  else if (tag === 0x11) into.startTimeUnixNano = reader.bigFixed64()
  else if (tag === 0x19) into.timeUnixNano = reader.bigFixed64()
  else if (tag === 0x21) into.count = reader.numberFixed64()
  else if (tag === 0x29) into.sum = reader.double()
  else if (tag === 0x31) into.bucketCounts.push(reader.numberFixed64())
  else if (tag === 0x32) packed(reader, into.bucketCounts, () => reader.numberFixed64())
  else if (tag === 0x39) into.explicitBounds.push(reader.double())
  else if (tag === 0x3a) packed(reader, into.explicitBounds, () => reader.double())
  else if (tag === 0x50) into.flags = reader.uint32()
  else if (tag === 0x59) into.min = reader.double()
  else if (tag === 0x61) into.max = reader.double()
  else reader.skip(tag, HISTOGRAM)
}

/** `ExponentialHistogramDataPoint`. @throws OtlpError */
export function readExponentialPoint(reader: ProtobufReader): ExponentialHistogramPoint {
  const into: ExponentialHistogramPoint = {
    ...point(),
    count: 0,
    sum: null,
    min: null,
    max: null,
    scale: 0,
    zeroCount: 0,
    zeroThreshold: 0,
    positive: { offset: 0, bucketCounts: [] },
    negative: { offset: 0, bucketCounts: [] },
  }
  const outer = reader.enter()
  while (reader.pos < reader.end) readExponentialField(reader, reader.tag(), into)
  reader.leave(outer)
  return into
}

function readExponentialField(reader: ProtobufReader, tag: number, into: ExponentialHistogramPoint): void {
  if (tag === 0x0a) readKeyValue(reader, into.attributes)
  else if (tag === 0x11) into.startTimeUnixNano = reader.bigFixed64()
  else if (tag === 0x19) into.timeUnixNano = reader.bigFixed64()
  else if (tag === 0x21) into.count = reader.numberFixed64()
  else if (tag === 0x29) into.sum = reader.double()
  else if (tag === 0x30) into.scale = reader.sint32()
  else if (tag === 0x39) into.zeroCount = reader.numberFixed64()
  else if (tag === 0x42) readBuckets(reader, into.positive)
  else if (tag === 0x4a) readBuckets(reader, into.negative)
  else if (tag === 0x50) into.flags = reader.uint32()
  else if (tag === 0x61) into.min = reader.double()
  else if (tag === 0x69) into.max = reader.double()
  else if (tag === 0x71) into.zeroThreshold = reader.double()
  else reader.skip(tag, EXPONENTIAL)
}

function readBuckets(reader: ProtobufReader, into: ExponentialBuckets): void {
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x08) into.offset = reader.sint32()
    else if (tag === 0x10) into.bucketCounts.push(reader.uint64())
    else if (tag === 0x12) packed(reader, into.bucketCounts, () => reader.uint64())
    else reader.skip(tag, BUCKETS)
  }
  reader.leave(outer)
}

/** `SummaryDataPoint`. @throws OtlpError */
export function readSummaryPoint(reader: ProtobufReader): SummaryPoint {
  const into: SummaryPoint = { ...point(), count: 0, sum: 0, quantiles: [] }
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x3a) readKeyValue(reader, into.attributes)
    else if (tag === 0x11) into.startTimeUnixNano = reader.bigFixed64()
    else if (tag === 0x19) into.timeUnixNano = reader.bigFixed64()
    else if (tag === 0x21) into.count = reader.numberFixed64()
    else if (tag === 0x29) into.sum = reader.double()
    else if (tag === 0x32) into.quantiles.push(readQuantile(reader))
    else if (tag === 0x40) into.flags = reader.uint32()
    else reader.skip(tag, SUMMARY)
  }
  reader.leave(outer)
  return into
}

function readQuantile(reader: ProtobufReader): { quantile: number; value: number } {
  const into = { quantile: 0, value: 0 }
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x09) into.quantile = reader.double()
    else if (tag === 0x11) into.value = reader.double()
    else reader.skip(tag, QUANTILE)
  }
  reader.leave(outer)
  return into
}

function packed(reader: ProtobufReader, into: number[], read: () => number): void {
  const outer = reader.enter()
  while (reader.pos < reader.end) into.push(read())
  reader.leave(outer)
}
