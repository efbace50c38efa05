import Testing

@testable import MartletSupervisor

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// What the supervisor does about its workers: what happened, and the actions that follow.
@Suite struct KeepingWorkers {
    @Test func theFirstWorkerStartsAloneAndTheOthersOnceItServes() {
        var crew = Crew.of(3)
        #expect(crew.begin() == [.start(place: 0)])
        #expect(crew.started(10, at: 0, .zero) == [])
        #expect(crew.ready(10, .seconds(1)) == [.start(place: 1), .start(place: 2)])
        _ = crew.started(11, at: 1, .seconds(1)) + crew.started(12, at: 2, .seconds(1))
        #expect(crew.ready(11, .seconds(2)) == [])
        #expect(crew.ready(12, .seconds(2)) == [.announce])
    }

    @Test func whatCannotStartEndsTheSupervisorWithItsStatus() {
        var crew = Crew.of(2)
        _ = crew.begin() + crew.started(10, at: 0, .zero)
        #expect(crew.exited(10, status: .exited(78), .seconds(1)) == [.exit(status: 78)])
    }

    @Test func aCrashedWorkerIsReplacedAtOnce() {
        var crew = Crew.serving()
        #expect(crew.exited(11, status: .signalled(SIGILL), .seconds(60)) == [.start(place: 1)])
        #expect(crew.restarts == 1)
    }

    @Test func crashesOfYoungWorkersAreFollowedByLongerAndLongerPauses() {
        var crew = Crew.serving()
        var (now, pid) = (Duration.seconds(2), Int32(11))
        var pauses: [Duration] = []
        for _ in 0..<5 {
            let actions = crew.exited(pid, status: .signalled(SIGILL), now)
            let due = crew.nextDue ?? now
            pauses.append(due - now)
            #expect((actions.isEmpty ? crew.tick(due) : actions) == [.start(place: 1)])
            now = due + .seconds(1)
            pid += 10
            _ = crew.started(pid, at: 1, now) + crew.ready(pid, now)
        }
        #expect(pauses == [.zero, .milliseconds(125), .milliseconds(250), .milliseconds(500), .seconds(1)])
        // A worker that lives for long begins anew.
        #expect(crew.exited(pid, status: .signalled(SIGILL), now + .seconds(60)) == [.start(place: 1)])
    }

    @Test(arguments: [(1, 0.0, 0.0), (2, 0, 0.125), (2, 1, 0.25), (9, 1, 30), (1000, 1, 30), (1000, 0, 15)])
    func pausesAreBoundedAndScattered(deaths: Int, random: Double, seconds: Double) {
        #expect(Crew.pause(afterYoungDeaths: deaths, random: random) == .seconds(seconds))
    }

    @Test func aWorkerThatDoesNotBecomeReadyIsKilledAndReplaced() {
        var crew = Crew.serving()
        _ = crew.exited(11, status: .signalled(SIGILL), .seconds(60)) + crew.started(21, at: 1, .seconds(60))
        #expect(crew.tick(.seconds(119)) == [])
        #expect(crew.tick(.seconds(121)) == [.kill(pid: 21)])
        #expect(crew.exited(21, status: .signalled(SIGKILL), .seconds(122)) == [.start(place: 1)])
    }
}

@Suite struct StoppingWorkers {
    @Test func allAreToldAndTheLastOneEndsTheSupervisor() {
        var crew = Crew.serving()
        #expect(crew.stop(signal: SIGTERM, .seconds(5)) == [.terminate(pid: 10), .terminate(pid: 11)])
        #expect(crew.exited(10, status: .exited(0), .seconds(6)) == [])
        #expect(crew.exited(11, status: .signalled(SIGTERM), .seconds(6)) == [.exit(status: 0)])
    }

    @Test func oneThatDoesNotEndIsKilledWhichIsNoCleanEnd() {
        var crew = Crew.serving()
        _ = crew.stop(signal: SIGTERM, .seconds(5)) + crew.exited(10, status: .exited(0), .seconds(6))
        #expect(crew.nextDue == .seconds(35))
        #expect(crew.tick(.seconds(35)) == [.kill(pid: 11)])
        #expect(crew.exited(11, status: .signalled(SIGKILL), .seconds(36)) == [.exit(status: 1)])
    }

    @Test func askedAgainItEndsAtOnce() {
        var crew = Crew.serving()
        _ = crew.stop(signal: SIGTERM, .seconds(5))
        #expect(crew.stop(signal: SIGINT, .seconds(6)) == [.kill(pid: 10), .kill(pid: 11), .exit(status: 130)])
    }

    @Test func nothingIsStartedAnyMore() {
        var crew = Crew.serving()
        _ = crew.exited(10, status: .signalled(SIGILL), .seconds(2)) + crew.started(20, at: 0, .seconds(2))
        _ = crew.exited(20, status: .signalled(SIGILL), .seconds(3))
        #expect(crew.nextDue != nil)
        _ = crew.stop(signal: SIGTERM, .seconds(3))
        #expect(crew.tick(.seconds(30)) == [])
        #expect(crew.started(30, at: 0, .seconds(30)) == [.terminate(pid: 30)])
    }
}

@Suite struct ReplacingWorkers {
    @Test func oneAfterTheOtherEachOnceItsSuccessorServes() {
        var crew = Crew.serving()
        #expect(crew.beginReload(.seconds(20)) == [.start(place: 0)])
        _ = crew.started(20, at: 0, .seconds(20))
        #expect(crew.ready(20, .seconds(21)).last == .retire(pid: 10))
        #expect(crew.exited(10, status: .exited(0), .seconds(22)) == [.start(place: 1)])
        _ = crew.started(21, at: 1, .seconds(22))
        #expect(crew.ready(21, .seconds(23)).last == .retire(pid: 11))
        #expect(crew.obstacle != nil)
        #expect(crew.exited(11, status: .exited(0), .seconds(24)) == [.endReload(failure: nil)])
        #expect(crew.obstacle == nil)
        #expect(crew.restarts == 0)
    }

    @Test func aSuccessorThatEndsLeavesTheOldOneInPlace() {
        var crew = Crew.serving()
        _ = crew.beginReload(.seconds(20)) + crew.started(20, at: 0, .seconds(20))
        let actions = crew.exited(20, status: .exited(78), .seconds(21))
        #expect(actions == [.endReload(failure: "the new worker 20 ended with status 78 before it was ready")])
        #expect(crew.workers[10]?.state == .ready)
        #expect(crew.nextDue == nil)
    }

    @Test func aSuccessorThatHangsIsKilledAndLeavesTheOldOneInPlace() {
        var crew = Crew.serving()
        _ = crew.beginReload(.seconds(20)) + crew.started(20, at: 0, .seconds(20))
        #expect(crew.tick(.seconds(81)) == [.kill(pid: 20)])
        #expect(
            crew.exited(20, status: .signalled(SIGKILL), .seconds(82)) == [
                .endReload(failure: "the new worker 20 did not become ready in time")
            ])
        #expect(crew.workers[10]?.state == .ready)
    }

    @Test func anOldOneThatCrashesMeanwhileIsReplacedByItsSuccessorOnly() {
        var crew = Crew.serving()
        _ = crew.beginReload(.seconds(20)) + crew.started(20, at: 0, .seconds(20))
        #expect(crew.exited(10, status: .signalled(SIGILL), .seconds(21)) == [])
        #expect(crew.ready(20, .seconds(22)).last == .start(place: 1))
    }

    @Test func aCrashElsewhereIsReplacedAsEver() {
        var crew = Crew.serving()
        _ = crew.beginReload(.seconds(20)) + crew.started(20, at: 0, .seconds(20))
        #expect(crew.exited(11, status: .signalled(SIGILL), .seconds(21)) == [.start(place: 1)])
    }

    @Test func stoppingEndsIt() {
        var crew = Crew.serving()
        _ = crew.beginReload(.seconds(20)) + crew.started(20, at: 0, .seconds(20))
        #expect(crew.stop(signal: SIGTERM, .seconds(21)).first == .endReload(failure: "the server is stopping"))
    }
}

extension Crew {
    /// With pauses of half their length, workers that must be ready in 60 s, and 30 s to stop.
    fileprivate static func of(_ workers: Int) -> Crew {
        Crew(Rules(workers: workers, stopWithin: .seconds(30)), random: { 0 })
    }

    /// Two workers, 10 and 11, that serve since the second 1.
    fileprivate static func serving() -> Crew {
        var crew = of(2)
        _ = crew.begin() + crew.started(10, at: 0, .zero) + crew.ready(10, .seconds(1))
        _ = crew.started(11, at: 1, .seconds(1)) + crew.ready(11, .seconds(1))
        return crew
    }
}
