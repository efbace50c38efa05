import Testing
import Tracing

@testable import MartletTelemetry

@Suite("Sampling")
struct Sampling {
    @Test(arguments: [0, 0.01, 0.25, 1.0])
    func takesThePartItIsTold(ratio: Double) {
        let (sampler, source, count) = (Sampler(ratio: ratio), IdentifierSource(seeds: (1, 2)), 100_000)
        let taken = (0..<count).count { _ in sampler.takes(source.trace().low) }
        #expect(abs(Double(taken) / Double(count) - ratio) < 0.003)
        if ratio == 0 { #expect(taken == 0) }
        if ratio == 1 { #expect(taken == count) }
    }

    @Test(arguments: [(Double.nan, false), (-1, false), (2, true)])
    func takesNonsenseForTheNearerEnd(ratio: Double, isTaken: Bool) {
        #expect(Sampler(ratio: ratio).takes(.max) == isTaken)
        #expect(Sampler(ratio: ratio).takes(0) == isTaken)
    }

    @Test func agreesWithAHigherRatio() {
        let (low, high, source) = (Sampler(ratio: 0.1), Sampler(ratio: 0.5), IdentifierSource(seeds: (3, 4)))
        for _ in 0..<10_000 {
            let number = source.next()
            #expect(!low.takes(number) || high.takes(number))
        }
    }

    @Test(arguments: ParentTrust.allCases, [true, false])
    func heedsTheFlagOnlyOfThoseWhoAreTrusted(parents: ParentTrust, isTrusted: Bool) {
        let kept = KeptSpans()
        for ratio in [0.0, 1.0] {
            let traces = Traces(Traces.Settings(ratio: ratio, parents: parents), sink: kept)
            for flag in [true, false] {
                let root = traces.request(parent: parent(isSampled: flag), state: "a=b") { isTrusted }
                let isHeeded = parents == .trust || (parents == .continue && isTrusted)
                #expect(root.isSampled == (isHeeded ? flag : ratio == 1))
                #expect((root.recorder.id.description == ReadingTraceParents.trace) == (parents != .ignore))
                #expect((root.parent?.description == ReadingTraceParents.span) == (parents != .ignore))
                #expect((root.recorder.state?.description == "a=b") == (parents != .ignore))
            }
        }
    }

    @Test func beginsANewTraceForAMalformedParent() {
        let traces = Traces(Traces.Settings(ratio: 1, parents: .trust), sink: KeptSpans())
        let root = traces.request(parent: "00-what", state: "a=b") { true }
        #expect(root.parent == nil && root.recorder.state == nil && root.isSampled)
    }

    @Test(arguments: [(false, Duration.seconds(60), 0), (true, .seconds(60), 2), (false, .zero, 2)])
    func keepsWhatFailedOrWasSlow(failed: Bool, slow: Duration, count: Int) async throws {
        let kept = KeptSpans()
        let traces = Traces(Traces.Settings(ratio: 0, slow: slow), sink: kept)
        let root = traces.request(parent: nil, state: nil) { false }
        try await ServiceContext.$current.withValue(root.context) {
            try await #require(Trace.current).step(NamedWork("step")) {}
        }
        root.end(NamedWork("root"), failed: failed, failure: "broken")
        #expect(kept.spans.count == count)
        #expect(kept.spans.last?.span.failure == (failed ? "broken" : nil))
    }

    @Test func recordsAnAttemptWhereItsEnqueuerWasRecorded() throws {
        let traces = Traces(Traces.Settings(ratio: 0), sink: KeptSpans())
        #expect(traces.attempt(enqueuedBy: TraceParent(parent(isSampled: true))).isSampled)
        #expect(!traces.attempt(enqueuedBy: TraceParent(parent(isSampled: false))).isSampled)
        #expect(!traces.attempt(enqueuedBy: nil).isSampled)
        #expect(traces.attempt(enqueuedBy: TraceParent(parent(isSampled: true))).recorder.id.description != ReadingTraceParents.trace)
    }

    private func parent(isSampled: Bool) -> String {
        "00-\(ReadingTraceParents.trace)-\(ReadingTraceParents.span)-0\(isSampled ? 1 : 0)"
    }
}
