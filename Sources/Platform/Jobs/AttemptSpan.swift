import MartletCore
import MartletJobsAPI
import MartletTelemetry
import Tracing

/// An attempt at a job as a trace shows it. It is a trace of its own, linked to the one that enqueued the job.
struct AttemptSpan: SpanDetail {
    let claim: Claim
    let origin: TraceParent?

    init(_ claim: Claim) {
        self.claim = claim
        origin = claim.traceparent.flatMap { TraceParent($0) }
    }

    var kind: SpanKind { .consumer }

    func describe() -> SpanDescription {
        SpanDescription(
            "job \(claim.kind)",
            [
                SpanValue("martlet.job.kind", claim.kind), SpanValue("martlet.job.queue", claim.queue),
                SpanValue("martlet.job.id", claim.id.description), SpanValue("martlet.job.attempt", claim.attempt),
                claim.requestID.map { SpanValue("martlet.request_id", $0) },
            ], links: origin.map { [$0] } ?? [])
    }
}

extension Attempt {
    /// Why it failed, in one word; `nil` when it did not, or was told to stop.
    func failure(of result: Result<Outcome, any Error>) -> String? {
        switch (result, stopReason) {
        case (_, .timedOut): "timed_out"
        case (_, .some), (.failure(is LostLease), _): nil
        case (.failure(let error), nil): FailureName.of(error)
        case (.success(.retry), nil): "retry"
        case (.success(.discard), nil): "discarded"
        case (.success, nil): nil
        }
    }
}
