import Synchronization

@testable import MartletTelemetry

/// Keeps what would be exported.
final class KeptSpans: SpanSink {
    private let kept = Mutex<[ExportedSpan]>([])

    var spans: [ExportedSpan] { kept.withLock { $0 } }
    var names: [String] { spans.map { $0.span.detail.describe().name } }

    func add(_ spans: [FinishedSpan], of trace: TraceRecorder) {
        kept.withLock { $0 += spans.map { ExportedSpan(trace: trace, span: $0) } }
    }

    subscript(name: String) -> FinishedSpan? { spans.first { $0.span.detail.describe().name == name }?.span }
}
