import Tracing

/// The trace that the current task works in, and the span it is in. It travels in the task's `ServiceContext`.
///
/// ```swift
/// guard let trace = Trace.current else { return try await look() }
/// return try await trace.step(NamedWork("look")) { try await look() }
/// ```
/// Where no trace is recorded, ``current`` is `nil`: that costs one look at a task-local value.
public struct Trace: Sendable {
    let recorder: TraceRecorder
    let span: SpanID

    public static var current: Trace? { ServiceContext.current?[TraceKey.self] }

    /// Whether it is recorded whatever becomes of it. If not, only little is worth keeping.
    public var isSampled: Bool { recorder.isSampled }

    /// As whoever is called next hears of it.
    public var parent: TraceParent { recorder.parent(span) }

    /// Runs `body` as a span that has none below it. An error that it throws is passed on, and its code noted.
    ///
    /// Every statement of a request that is traced goes this way, most of them for nothing: so the caller's compiler makes it what that one needs.
    @inlinable
    public nonisolated(nonsending) func step<Result>(
        _ detail: @autoclosure () -> some SpanDetail, _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        let start = ContinuousClock.now
        do {
            let result = try await body()
            note(detail(), since: start, failure: nil)
            return result
        } catch {
            note(detail(), since: start, failure: FailureName.of(error))
            throw error
        }
    }

    /// The same, where what is to be told depends on the result; `nil` when an error was thrown.
    @inlinable
    public nonisolated(nonsending) func step<Result>(
        _ detail: (Result?) -> some SpanDetail, _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        let start = ContinuousClock.now
        do {
            let result = try await body()
            note(detail(result), since: start, failure: nil)
            return result
        } catch {
            note(detail(nil), since: start, failure: FailureName.of(error))
            throw error
        }
    }

    /// Runs `body` as a span, with those below it that begin in `body`.
    ///
    /// What will most likely be thrown away is kept flat: a context for each scope costs more than all else.
    public nonisolated(nonsending) func scope<Result>(
        _ detail: (Result?) -> some SpanDetail, _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        guard isSampled else { return try await step(detail, body) }
        let (id, start) = (recorder.newSpan(), ContinuousClock.now)
        do {
            let result = try await ServiceContext.$current.withValue(context(in: id)) { try await body() }
            add(detail(result), as: id, since: start)
            return result
        } catch {
            add(detail(nil), as: id, since: start, failure: FailureName.of(error))
            throw error
        }
    }

    /// Notes a span that has just ended.
    public func add(_ detail: some SpanDetail, since start: ContinuousClock.Instant, failure: String? = nil) {
        note(detail, since: start, failure: failure)
    }

    @usableFromInline
    func note(_ detail: any SpanDetail, since start: ContinuousClock.Instant, failure: String?) {
        add(detail, as: recorder.newSpan(), since: start, failure: failure)
    }

    private func add(_ detail: any SpanDetail, as id: SpanID, since start: ContinuousClock.Instant, failure: String? = nil) {
        recorder.add(FinishedSpan(id: id, parent: span, start: start, end: .now, failure: failure, detail: detail))
    }

    /// The current context, with a span of this trace as the innermost.
    func context(in span: SpanID) -> ServiceContext {
        var context = ServiceContext.current ?? .topLevel
        context[TraceKey.self] = Trace(recorder: recorder, span: span)
        return context
    }
}

enum TraceKey: ServiceContextKey {
    typealias Value = Trace
}
