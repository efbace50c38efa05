import MartletCore
import Testing

@testable import MartletIdempotency

@Suite("Turns of keys") struct KeyTurnsTests {
    private let name = Claim.of("a").name

    @Test func theFirstHasItsTurnAndTheOthersWait() {
        var turns = KeyTurns<String>()
        #expect(turns.enter(name) == nil)
        #expect(turns.enter(name) == 1)
        #expect(turns.enter(name) == 2)
        #expect(turns.enter(Claim.of("b").name) == nil)
        #expect(turns.count == 2)
    }

    @Test func anAnswerIsToldToAllWhoWait() {
        var turns = KeyTurns<String>()
        for _ in 0..<3 { _ = turns.enter(name) }
        #expect(turns.end(name, "done") == [1, 2])
        for ticket in [1, 2] as [UInt64] {
            guard case .answered("done") = turns.leave(name, ticket) else {
                Issue.record("\(ticket) was not answered.")
                continue
            }
        }
        #expect(turns.count == 0)
    }

    @Test func aTurnThatFailsIsTheNextOnes() {
        var turns = KeyTurns<String>()
        for _ in 0..<3 { _ = turns.enter(name) }
        #expect(turns.end(name, nil) == [1])
        guard case .yourTurn = turns.leave(name, 1) else {
            Issue.record("It was not the first one's turn.")
            return
        }
        #expect(turns.enter(name) == 3, "The key is in use still.")
        #expect(turns.end(name, nil) == [2])
    }

    @Test func whoLeavesIsNotTold() {
        var turns = KeyTurns<String>()
        for _ in 0..<3 { _ = turns.enter(name) }
        #expect(turns.leave(name, 1) == nil)
        #expect(turns.end(name, nil) == [2])
    }

    @Test func aDecisionThatComesWithTheLeavingCounts() {
        var turns = KeyTurns<String>()
        for _ in 0..<2 { _ = turns.enter(name) }
        _ = turns.end(name, nil)
        #expect(turns.leave(name, 1) != nil, "Its turn would be nobody's.")
    }

    @Test func aKeyThatNobodyUsesIsForgotten() {
        var turns = KeyTurns<String>()
        _ = turns.enter(name)
        #expect(turns.end(name, nil) == [])
        #expect(turns.count == 0)
    }
}
