/// Which traces are recorded, decided when they begin.
///
/// By the lowest 56 bits of a number, as OpenTelemetry's consistent sampling does it
/// (https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/): whoever samples the same trace by a higher ratio
/// records it, too.
public struct Sampler: Sendable, Hashable {
    private let threshold: UInt64

    private static let randomBits: UInt64 = 1 << 56 - 1

    /// - Parameter ratio: 0 for none, 1 for all; what lies beyond counts as the nearer one.
    public init(ratio: Double) {
        let ratio = ratio.isNaN ? 0 : min(1, max(0, ratio))
        threshold = UInt64((1 - ratio) * 0x1p56)
    }

    func takes(_ number: UInt64) -> Bool { number & Self.randomBits >= threshold }
}

/// What is made of the trace that a caller says its request belongs to.
public enum ParentTrust: String, Sendable, CaseIterable {
    /// Its trace goes on, and its word counts whether it is recorded.
    case trust
    /// Its trace goes on. Whether it is recorded is decided here, by chance: else who calls would choose what is recorded, by the flag or by
    /// the trace's identifier.
    case `continue`
    /// A new trace begins.
    case ignore
}
