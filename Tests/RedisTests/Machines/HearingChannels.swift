import Testing

@testable import MartletRedis

@Suite struct HearingChannels {
    @Test func aStreamIsToldWhenAllItsChannelsAreConfirmed() {
        var machine = Subscriptions()
        #expect(machine.add(1, ["a", "b"]).isEmpty)
        #expect(machine.connected() == [.tell(["SUBSCRIBE", "a", "b"])])
        #expect(machine.heard(message("a")).isEmpty)
        #expect(machine.heard(confirmation("subscribe", "a")).isEmpty)
        #expect(machine.heard(confirmation("subscribe", "b")) == [.deliver(1, .subscribed)])
        #expect(machine.heard(message("a")) == [.deliver(1, .message(channel: "a", payload: [1]))])
        #expect(machine.heard(message("c")).isEmpty)
    }

    @Test func aSecondStreamOfAChannelThatIsHeardIsToldAtOnce() {
        var machine = hearing("a")
        #expect(machine.add(2, ["a"]) == [.deliver(2, .subscribed)])
        #expect(machine.heard(message("a")).count == 2)
        #expect(machine.remove(1).isEmpty)
        #expect(machine.remove(2) == [.tell(["UNSUBSCRIBE", "a"])])
        #expect(machine.isEmpty)
    }

    @Test func oneWhoComesAsTheChannelIsGivenUpWaitsForItsOwnConfirmation() {
        var machine = hearing("a")
        #expect(machine.remove(1) == [.tell(["UNSUBSCRIBE", "a"])])
        #expect(machine.add(2, ["a"]) == [.tell(["SUBSCRIBE", "a"])])
        #expect(machine.heard(message("a")).isEmpty)
        #expect(machine.heard(confirmation("unsubscribe", "a")).isEmpty)
        #expect(machine.heard(confirmation("subscribe", "a")) == [.deliver(2, .subscribed)])
    }

    @Test func afterALossAllIsSaidAgain() {
        var machine = hearing("a")
        machine.lost()
        #expect(machine.add(2, ["b"]).isEmpty)
        #expect(machine.connected() == [.tell(["SUBSCRIBE", "a", "b"])])
        #expect(machine.heard(confirmation("subscribe", "a")) == [.deliver(1, .subscribed)])
        #expect(machine.heard(confirmation("subscribe", "b")) == [.deliver(2, .subscribed)])
    }

    private static let other: [[RESPValue]] = [
        [], [.null], [.text("message"), .text("a")], [.integer(1), .text("a"), .text("b")], [.text("message"), .null, .null],
    ]

    @Test(arguments: other) func otherPushesSayNothing(words: [RESPValue]) {
        var machine = hearing("a")
        #expect(machine.heard(words).isEmpty)
    }

    private func hearing(_ channel: String) -> Subscriptions {
        var machine = Subscriptions()
        _ = machine.connected()
        _ = machine.add(1, [channel])
        _ = machine.heard(confirmation("subscribe", channel))
        return machine
    }

    private func confirmation(_ kind: String, _ channel: String) -> [RESPValue] { [.text(kind), .text(channel), .integer(1)] }
    private func message(_ channel: String) -> [RESPValue] { [.text("message"), .text(channel), .bytes([1])] }
}
