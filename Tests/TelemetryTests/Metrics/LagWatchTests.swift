import Testing

@testable import MartletTelemetry

@Suite("Watching how long tasks stand in line")
struct LagWatchTests {
    private let start = ContinuousClock.now

    @Test func sendsNoSecondProbeWhileOneIsOnTheWay() {
        var watch = LagWatch()
        let (first, second) = (watch.send(at: start), watch.send(at: start + .seconds(1)))
        #expect(first && !second)
        let (lag, surplus) = (watch.arrived(at: start + .seconds(3)), watch.arrived(at: start + .seconds(3)))
        #expect(lag == .seconds(3) && surplus == nil)
        let third = watch.send(at: start + .seconds(4))
        #expect(third)
    }

    @Test func tellsOfAWaitWhileItLasts() {
        var watch = LagWatch()
        _ = watch.send(at: start)
        #expect(watch.worst(at: start + .seconds(7)) == .seconds(7))
    }

    @Test func remembersTheWorstForAtLeastHalfAMinuteAndAtMostAWhole() {
        var watch = LagWatch()
        func probe(_ second: Int, _ lag: Duration) {
            _ = watch.send(at: start + .seconds(second))
            _ = watch.arrived(at: start + .seconds(second) + lag)
        }
        probe(0, .milliseconds(1))
        probe(29, .milliseconds(500))
        #expect(watch.worst(at: start + .seconds(30)) == .milliseconds(500))
        probe(31, .milliseconds(2))
        #expect(watch.worst(at: start + .seconds(58)) == .milliseconds(500))
        probe(62, .milliseconds(3))
        #expect(watch.worst(at: start + .seconds(62)) == .milliseconds(3))
        #expect(watch.worst(at: start + .seconds(200)) == .zero)
    }
}
