public import Logging

/// The current trace as log lines name it.
public enum TraceContext {
    /// The identifiers of the trace and the span that the current task works in, as hexadecimal digits; `nil` where nothing is traced.
    public static var current: (trace: String, span: String)? {
        Trace.current.map { ("\($0.recorder.id)", "\($0.span)") }
    }

    /// `trace_id` and `span_id`; empty where nothing is traced. It has the form that `Logger.MetadataProvider` takes.
    @Sendable public static func logMetadata() -> Logger.Metadata {
        guard let current else { return [:] }
        return ["trace_id": "\(current.trace)", "span_id": "\(current.span)"]
    }
}
