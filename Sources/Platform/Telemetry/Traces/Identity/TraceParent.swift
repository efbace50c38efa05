/// Where a trace comes from: the field `traceparent` of W3C Trace Context (https://www.w3.org/TR/trace-context-2/#traceparent-header).
///
/// ```
/// 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
/// ```
public struct TraceParent: Sendable, Hashable, CustomStringConvertible {
    public let trace: TraceID
    public let span: SpanID
    /// Whether the caller may have recorded it (§3.2.2.5.1).
    public let isSampled: Bool
    /// Whether the lower half of the trace's identifier is random (level 2, §3.2.2.5.2); passed on as it came.
    let isRandom: Bool

    init(trace: TraceID, span: SpanID, isSampled: Bool, isRandom: Bool = true) {
        (self.trace, self.span, self.isSampled, self.isRandom) = (trace, span, isSampled, isRandom)
    }

    /// Reads the field; `nil` for whatever the specification calls invalid: then a new trace begins.
    ///
    /// Version 00 is exactly 55 characters. A later version is read as far as this one goes, if it is as long or goes on after a further
    /// `-` (§4.3); version ff is none. Several fields, which are joined by commas, are no field.
    public init?(_ text: String) {
        var text = text
        guard let read = text.withUTF8(Self.read) else { return nil }
        self = read
    }

    private static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> TraceParent? {
        let dash = UInt8(ascii: "-")
        guard bytes.count >= length, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash else { return nil }
        guard let version = Hexadecimal.read(bytes[0..<2]), version != 0xFF else { return nil }
        guard bytes.count == length || (version > 0 && bytes[length] == dash) else { return nil }
        guard let high = Hexadecimal.read(bytes[3..<19]), let low = Hexadecimal.read(bytes[19..<35]),
            let trace = TraceID(high: high, low: low),
            let span = Hexadecimal.read(bytes[36..<52]).flatMap(SpanID.init), let flags = Hexadecimal.read(bytes[53..<55])
        else { return nil }
        return TraceParent(trace: trace, span: span, isSampled: flags & 1 != 0, isRandom: flags & 2 != 0)
    }

    private static let length = 55

    /// The field in version 00.
    public var description: String { "00-\(trace)-\(span)-0\((isSampled ? 1 : 0) + (isRandom ? 2 : 0))" }
}
