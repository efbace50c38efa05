import Logging
import MartletCore
import MartletTestSupport
import Testing

@testable import MartletOverload

@Suite("Admission")
struct Admitting {
    private let admission = Admission(AdmissionLimits(floor: 1, ceiling: 1))
    /// On a machine that is busy with tests, a tenth of a second is over soon.
    private let patient = Admission(
        AdmissionLimits(floor: 1, ceiling: 1), patience: .init(burst: .seconds(3600), standing: .seconds(3600)))

    @Test func whoWaitsGoesOnWhenOthersAreDone() async throws {
        try await patient.enter(.reads)
        let second = Task { try await patient.enter(.reads) }
        try await eventually { patient.statistics.queued == 1 }
        patient.leave(.reads)
        try await second.value
        #expect(patient.statistics.running == 1)
        patient.leave(.reads)
        #expect(patient.statistics.running == 0 && patient.statistics.admitted[.reads] == 2)
    }

    @Test func whoIsCancelledLeavesTheQueue() async throws {
        try await patient.enter(.reads)
        let second = Task { try await patient.enter(.reads) }
        try await eventually { patient.statistics.queued == 1 }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        patient.leave(.reads)
        #expect(patient.statistics.running == 0 && patient.statistics.queued == 0 && patient.isIdle)
    }

    @Test func whoWasCancelledBeforeDoesNotWait() async throws {
        try await patient.enter(.reads)
        let gate = Gate()
        let second = Task {
            await gate.wait()
            try await patient.enter(.reads)
        }
        second.cancel()
        await gate.open()
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(patient.statistics.queued == 0)
    }

    @Test func whoWaitedForTooLongIsRefused() async throws {
        try await admission.enter(.reads)
        let second = Task { try await admission.enter(.bulk) }
        try await eventually { admission.statistics.queued == 1 }
        let sample = LoadSample(lag: .zero, waiting: 0, interval: .milliseconds(10))
        #expect(admission.note(sample, now: .now + .seconds(1)) == .began)
        let refusal = await #expect(throws: Overloaded.self) { try await second.value }
        #expect((1...3).contains(refusal?.retryAfterSeconds ?? 0))
        #expect(admission.statistics.refused[.bulk] == 1 && admission.statistics.isShedding)
    }

    @Test func whoComesBackIsNotAskedAgain() async throws {
        try await admission.enter(.writes)
        admission.leave(.writes)
        try await admission.enter(.reads)
        admission.comeBack(.writes)
        #expect(admission.statistics.running == 2)
        admission.leave(.reads)
        admission.leave(.writes)
        #expect(admission.isIdle)
    }

    @Test func theWatchRefusesWhoWaitsAndTells() async throws {
        let log = LogRecorder()
        try await admission.enter(.reads)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await LoadWatch(admission, logger: log.logger) { (0, 0) }.run() }
            await #expect(throws: Overloaded.self) { try await admission.enter(.reads) }
            try await eventually { admission.statistics.isShedding }
            group.cancelAll()
        }
        #expect(log.lines.first?.level == .warning)
    }
}
