import Testing

@testable import MartletOverload

@Suite("Three times as many requests as can be served")
struct SimulatedOverload {
    @Test(arguments: 1...10) func theCoresStayBusyAndAnswersStayFast(seed: UInt64) {
        check(seed, places: 2, .cores, service: 0.003, refusal: 0.0001)
    }

    @Test(arguments: 1...10) func soDoTheConnectionsOfASlowDatabase(seed: UInt64) {
        check(seed, places: 4, .connections, service: 0.05, refusal: 0)
    }

    private func check(_ seed: UInt64, places: Int, _ bottleneck: SimulatedServer.Bottleneck, service: Double, refusal: Double) {
        var server = SimulatedServer(places: places, bottleneck: bottleneck, service: service, refusal: refusal, seed: seed)
        let unloaded = server.run(seconds: 10, load: 0.3)
        #expect(unloaded.refused == 0)
        _ = server.run(seconds: 1, load: 3)
        let overloaded = server.run(seconds: 10, load: 3)
        #expect(Double(overloaded.served) / 10 > 0.85 * server.capacity)
        #expect(overloaded.p99 < 2.5 * unloaded.p99)
        _ = server.run(seconds: 1, load: 0.3)
        let after = server.run(seconds: 10, load: 0.3)
        #expect(after.refused <= (after.refused + after.served) / 200)
        #expect(after.p99 < 1.5 * unloaded.p99)
    }

    /// What this is for: without it nobody is served in time.
    @Test func withoutProtectionEverybodyWaits() {
        var server = SimulatedServer(places: 2, service: 0.003, isProtected: false, seed: 1)
        _ = server.run(seconds: 10, load: 3)
        #expect(server.run(seconds: 10, load: 3).p99 > 5)
    }

    @Test(arguments: 1...5) func aDatabaseThatIsMerelySlowerIsServedByMore(seed: UInt64) {
        var server = SimulatedServer(places: 400, bottleneck: .connections, service: 0.5, seed: seed)
        _ = server.run(seconds: 3, load: 0.5)
        let later = server.run(seconds: 10, load: 0.5)
        #expect(later.refused <= later.served / 100)
        #expect(server.currentLimit > 200)
    }
}
