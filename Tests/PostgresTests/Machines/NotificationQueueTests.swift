import MartletStorage
import Testing

@testable import MartletPostgres

struct NotificationQueueTests {
    @Test func whatComesWhileOneIsOnItsWayGoesTogetherWithTheNext() {
        var queue = NotificationQueue()
        #expect(queue.add(["a"]) == true)
        #expect(queue.next() == ["a"])
        #expect(queue.add(["a", "b"]) == false)
        #expect(queue.add(["b", "c"]) == false)
        #expect(queue.next() == ["a", "b", "c"])
        #expect(queue.next() == nil)
        #expect(queue.add(["a"]) == true)
    }

    @Test func nothingIsNotSent() {
        var queue = NotificationQueue()
        #expect(queue.add([]) == false)
        #expect(queue.add(["a"]) == true)
        #expect(queue.next() == ["a"])
        #expect(queue.add([]) == false)
        #expect(queue.next() == nil)
    }
}
