import MartletSettings
import MartletTestKit
import MartletTestSupport
import Testing

@testable import MartletApp
@testable import MartletSupervisor

/// What a process does about what it is told: pure.
@Suite struct HeedingInstructions {
    @Test func theFirstSignalDrainsAndTheSecondEndsAtOnce() {
        var stopping = Stopping()
        #expect(stopping.heed(.stop(signal: 15)) == .drain)
        #expect(stopping.heed(.stop(signal: 2)) == .exit(status: 130))
    }

    @Test func whoRetiresIsNotEndedByTheFirstSignal() {
        var stopping = Stopping()
        #expect(stopping.heed(.retire) == .retire)
        #expect(stopping.heed(.retire) == .none)
        #expect(stopping.heed(.stop(signal: 15)) == .none)
        #expect(stopping.heed(.stop(signal: 15)) == .exit(status: 143))
    }

    @Test func reloadingIsPossibleAtAnyTime() {
        var stopping = Stopping()
        #expect(stopping.heed(.reload) == .reload)
        #expect(stopping.heed(.stop(signal: 15)) == .drain)
        #expect(stopping.heed(.reload) == .reload)
        #expect(stopping.heed(.retire) == .none)
    }
}

@Suite struct NotingRequestsInFlight {
    @Test func aRequestIsNotedByItsRouteAndIDWhileItIsServed() async throws {
        let inFlight = try InFlight()
        try await withApp(inFlight: inFlight) {
            $0.testRoutes = true
        } _: { app in
            let call = Task { try await app.exchange("GET /test/sleep?milliseconds=600000", ["X-Request-ID: noted"]) }
            try await eventually { !inFlight.entries().isEmpty }
            let entry = try #require(inFlight.entries().first)
            #expect(entry.route == "GET /test/sleep")
            #expect(entry.id == "noted")
            _ = try await app.exchange("GET /health/live")
            #expect(inFlight.entries().count == 1)
            call.cancel()
        }
    }
}
