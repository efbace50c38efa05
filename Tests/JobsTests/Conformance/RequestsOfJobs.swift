import Logging
import MartletCore
import MartletJobs
import MartletTestSupport
import Synchronization
import Testing

@Suite struct RequestsOfJobs {
    @Test(arguments: JobEngine.all) func aJobWorksForTheRequestThatEnqueuedIt(engine: JobEngine) async throws {
        try await engine.run { instance in
            let id = try await CurrentRequest.$id.withValue("request-1") { try await instance.enqueue(Errand(name: "a")).id }
            let (journal, recorder) = (Journal(), LogRecorder())
            let handler = perform(
                Errand.self,
                with: { _, work in
                    journal.note(CurrentRequest.id ?? "none")
                    work.logger.info("at work")
                    return .done
                })
            try await instance.worker([handler], logger: Logger(label: "test") { _ in MetadataKeeper(recorder) }).runDue(expecting: 1)
            #expect(journal.entries == ["request-1"])
            let line = try #require(recorder.lines.first { $0.message == "at work" })
            #expect(line.metadata == ["request_id": "request-1", "job": "\(id)", "kind": "test.errand", "attempt": "1"])
        }
    }

    @Test(arguments: JobEngine.all) func aJobOfNoRequestWorksForNone(engine: JobEngine) async throws {
        try await engine.run { instance in
            try await instance.enqueue(Errand(name: "a"))
            let journal = Journal()
            let handler = perform(
                Errand.self,
                with: { _, _ in
                    journal.note(CurrentRequest.id ?? "none")
                    return .done
                })
            try await CurrentRequest.$id.withValue("another") { try await instance.worker([handler]).runDue(expecting: 1) }
            #expect(journal.entries == ["none"])
        }
    }
}

/// Puts what a logger carries into every line it records.
private struct MetadataKeeper: LogHandler {
    private let recorder: LogRecorder
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(_ recorder: LogRecorder) { self.recorder = recorder }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var event = event
        event.metadata = metadata.merging(event.metadata ?? [:]) { $1 }
        recorder.log(event: event)
    }
}
