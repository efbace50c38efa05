import Synchronization

/// The identifier of a whole trace: 16 bytes, not all of them zero (W3C Trace Context §3.2.2.3).
public struct TraceID: Sendable, Hashable, CustomStringConvertible {
    let high: UInt64
    let low: UInt64

    /// `nil` for zero, which is no identifier.
    init?(high: UInt64, low: UInt64) {
        guard high | low != 0 else { return nil }
        (self.high, self.low) = (high, low)
    }

    /// 32 hexadecimal digits in lower case.
    public var description: String {
        String(unsafeUninitializedCapacity: 32) { digits in
            Hexadecimal.write(high, to: digits, at: 0)
            Hexadecimal.write(low, to: digits, at: 16)
            return 32
        }
    }
}

/// The identifier of one span within its trace: 8 bytes, not all of them zero (W3C Trace Context §3.2.2.4).
public struct SpanID: Sendable, Hashable, CustomStringConvertible {
    let bits: UInt64

    /// `nil` for zero, which is no identifier.
    init?(_ bits: UInt64) {
        guard bits != 0 else { return nil }
        self.bits = bits
    }

    /// 16 hexadecimal digits in lower case.
    public var description: String {
        String(unsafeUninitializedCapacity: 16) { digits in
            Hexadecimal.write(bits, to: digits, at: 0)
            return 16
        }
    }
}

/// Makes identifiers that differ from one another and look random, without a lock or a call of the system for each.
///
/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014) over a counter that begins anywhere. The first
/// half of a trace's identifier is mixed with a second seed, so that two processes whose counters meet still make different ones.
/// They need not be hard to guess: nothing is granted to who knows one.
final class IdentifierSource: Sendable {
    private let counter: Atomic<UInt64>
    private let seed: UInt64

    init(seeds: (UInt64, UInt64) = (.random(in: .min ... .max), .random(in: .min ... .max))) {
        counter = Atomic(seeds.0)
        seed = seeds.1
    }

    func trace() -> TraceID {
        while true {
            if let id = TraceID(high: Self.mixed(next() ^ seed), low: next()) { return id }
        }
    }

    func span() -> SpanID {
        while true {
            if let id = SpanID(next()) { return id }
        }
    }

    func next() -> UInt64 {
        Self.mixed(counter.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue)
    }

    private static func mixed(_ number: UInt64) -> UInt64 {
        var mixed = number
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Numbers as digits in lower case: the only form that Trace Context knows.
enum Hexadecimal {
    static func write(_ number: UInt64, to digits: UnsafeMutableBufferPointer<UInt8>, at offset: Int) {
        for place in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: number >> (60 - 4 * UInt64(place))) & 0xF
            digits[offset + place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
        }
    }

    /// `nil` for anything that is no such digit, capital letters included; at most 16 of them.
    static func read(_ digits: some Collection<UInt8>) -> UInt64? {
        guard (1...16).contains(digits.count) else { return nil }
        var number: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
    }
}
