import Testing

@testable import MartletCache

@Suite("Asking a shared tier that is slow")
struct ImpatienceTests {
    private let begin = ContinuousClock.now

    /// Who may ask, of callers that come after so many milliseconds.
    private func admitted(_ impatience: inout Impatience, after moments: [Int]) -> [Bool] {
        moments.map { impatience.admits(at: begin + .milliseconds($0)) }
    }

    @Test func everybodyMayAskWhileAnswersComeInTime() {
        var impatience = Impatience()
        impatience.answered()
        let answers = admitted(&impatience, after: [0, 0, 1])
        #expect(answers == [true, true, true] && !impatience.isOn)
    }

    @Test func afterOneWaitedInVainNobodyAsksForAWhileAndThenOneDoes() {
        var impatience = Impatience()
        impatience.waitedInVain(at: begin)
        // Nothing was heard of the one who asked.
        let answers = admitted(&impatience, after: [0, 999, 1000, 1000, 1999, 2000])
        #expect(answers == [false, false, true, false, false, true] && impatience.isOn)
    }

    @Test func anAnswerInTimeLetsEverybodyAskAgain() {
        var impatience = Impatience()
        impatience.waitedInVain(at: begin)
        impatience.answered()
        let answers = admitted(&impatience, after: [0, 0])
        #expect(answers == [true, true])
    }
}
