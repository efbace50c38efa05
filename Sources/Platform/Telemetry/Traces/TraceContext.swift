/// The current trace as log lines name it.
public enum TraceContext {
    /// The identifiers of the trace and the span that the current task works in, as hexadecimal digits; `nil` where nothing is traced.
    public static var current: (trace: String, span: String)? {
        Trace.current.map { ("\($0.recorder.id)", "\($0.span)") }
    }
}
