import Logging
import MartletJobs
import MartletStorage
import MartletTestSupport
import ServiceLifecycle

extension JobWorker {
    /// Runs the worker beside `body`, and cancels it afterwards.
    func whileRunning(_ body: @Sendable () async throws -> Void) async throws {
        let running = Task { try await self.run() }
        let outcome = await Result { try await body() }
        running.cancel()
        try await running.value
        try outcome.get()
    }

    /// Runs the worker beside `body`, which ends with its graceful shutdown.
    func untilShutdown(after body: @Sendable () async throws -> Void) async throws {
        let group = ServiceGroup(services: [self], logger: .silent)
        let running = Task { try await group.run() }
        let outcome = await Result { try await body() }
        await group.triggerGracefulShutdown()
        try await running.value
        try outcome.get()
    }
}
