import MartletStorage
import Testing

@testable import MartletSQLite

@Suite("Group commit decides")
struct GroupCommitDecisions {
    private typealias Machine = GroupCommit<String>
    private let start = ContinuousClock.now

    private func machine(members: Int = 64, waiting: Int = 100) -> Machine {
        Machine(.init(members: members, duration: .milliseconds(5), waiting: waiting))
    }

    private func step(_ machine: inout Machine, after milliseconds: Int = 0) -> String {
        switch machine.next(now: start + .milliseconds(milliseconds)) {
        case .run(let member):
            machine.join(member)
            return "run \(member)"
        case .commit(let members): return "commit \(members.joined(separator: " "))"
        case .rest: return "rest"
        }
    }

    @Test func whoWaitsDuringATurnJoinsItsGroup() {
        var machine = machine()
        #expect(machine.enqueue("a").0 == .start)
        #expect(step(&machine) == "run a")
        #expect(machine.enqueue("b").0 == .wait)
        #expect([step(&machine), step(&machine), step(&machine)] == ["run b", "commit a b", "rest"])
        #expect(machine.enqueue("c").0 == .start)
    }

    @Test func aFullGroupCommitsBeforeTheNextMember() {
        var machine = machine(members: 2)
        for member in ["a", "b", "c"] { _ = machine.enqueue(member) }
        #expect((0..<6).map { _ in step(&machine) } == ["run a", "run b", "commit a b", "run c", "commit c", "rest"])
    }

    @Test func aGroupWhoseTimeIsUpCommits() {
        var machine = machine()
        for member in ["a", "b"] { _ = machine.enqueue(member) }
        #expect([step(&machine), step(&machine, after: 5), step(&machine, after: 5)] == ["run a", "commit a", "run b"])
    }

    @Test func oneThatMustBeAloneSharesItsGroupWithNoOne() {
        var machine = machine()
        _ = machine.enqueue("a")
        _ = machine.enqueue("b", alone: true)
        _ = machine.enqueue("c")
        #expect((0..<7).map { _ in step(&machine) } == ["run a", "commit a", "run b", "commit b", "run c", "commit c", "rest"])
    }

    @Test func whoLeavesTheQueueNeverHasATurn() {
        var machine = machine()
        _ = machine.enqueue("a")
        let (_, ticket) = machine.enqueue("b")
        _ = machine.enqueue("c")
        #expect(machine.leave(ticket) == "b")
        #expect(machine.leave(ticket) == nil)
        #expect((0..<4).map { _ in step(&machine) } == ["run a", "run c", "commit a c", "rest"])
    }

    @Test func aFullQueueAndAClosedOneRefuse() {
        var machine = machine(waiting: 1)
        _ = machine.enqueue("a")
        #expect(machine.enqueue("b").0 == .full)
        machine.close()
        #expect(machine.enqueue("c").0 == .closed)
        #expect([step(&machine), step(&machine), step(&machine)] == ["run a", "commit a", "rest"])
    }

    @Test func theLoadTellsWhoWaitedHowLong() {
        var machine = machine(waiting: 2)
        _ = machine.enqueue("a", now: start)
        #expect(machine.load == DatabaseLoad(connections: 1, inUse: 1, waiting: 1))
        _ = step(&machine)
        _ = machine.enqueue("b", now: start)
        let (_, ticket) = machine.enqueue("c", now: start + .milliseconds(1))
        _ = machine.enqueue("d", now: start)
        #expect(machine.load == DatabaseLoad(connections: 1, inUse: 1, waiting: 2, waited: 2, refused: 1))
        _ = machine.leave(ticket, now: start + .milliseconds(3))
        _ = step(&machine, after: 4)
        #expect([step(&machine), step(&machine)] == ["commit a b", "rest"])
        #expect(machine.load == DatabaseLoad(connections: 1, waited: 2, refused: 1, waitedTime: .milliseconds(6)))
    }

    @Test func aLostGroupIsNotCommitted() {
        var machine = machine()
        _ = machine.enqueue("a")
        _ = step(&machine)
        #expect(machine.dissolve() == ["a"])
        #expect(step(&machine) == "rest")
    }
}
