import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// The requests that are being served, in memory that outlives a crash: of a worker its supervisor reads it afterwards.
///
/// A fixed number of fixed slots, without locks and without allocations: noting a request costs a fraction of a microsecond. When all
/// slots near the next one are taken, a request is not noted. It holds routes and request ids, and nothing else of a request.
public final class InFlight: @unchecked Sendable {
    // Safe to share: a slot belongs to whoever exchanged its first word, and the words that others read are atomic or read after a crash.
    static let slots = 512
    static let bytes = slots * Slot.size
    private static let probes = 16

    let base: UnsafeMutableRawPointer
    private let tickets = Atomic<UInt64>(2)

    /// Of a process without a supervisor.
    public convenience init() throws { try self.init(descriptor: -1, MAP_PRIVATE | mapAnonymous) }

    /// Of a worker, in the memory behind a descriptor; the supervisor maps it too.
    convenience init(shared descriptor: Int32) throws { try self.init(descriptor: descriptor, MAP_SHARED) }

    private init(descriptor: Int32, _ flags: Int32) throws {
        guard let base = mmap(nil, Self.bytes, PROT_READ | PROT_WRITE, flags, descriptor, 0), base != MAP_FAILED else {
            throw SystemFailure("map the memory of requests in flight")
        }
        self.base = base
    }

    deinit { munmap(base, Self.bytes) }

    /// Memory for ``init(shared:)``, given to the one process that it is passed on to.
    static func makeMemory() throws -> Int32 {
        let name = "/martlet-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let descriptor = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw SystemFailure("make the memory of requests in flight") }
        // It is reached by its descriptor only, and gone with the last one.
        shm_unlink(name)
        guard ftruncate(descriptor, bytes) == 0 else { throw SystemFailure("make the memory of requests in flight") }
        return descriptor
    }

    /// Notes that a request is being served, by the task that calls this.
    ///
    /// - Parameters:
    ///   - route: Method and template of the path, never the path itself; cut off after 80 bytes.
    ///   - id: Cut off after 128 bytes.
    /// - Returns: What ends the note; `nil` where there was no room for one.
    public func begin(_ route: String, id: String) -> InFlightNote? {
        let ticket = tickets.add(1, ordering: .relaxed).newValue
        for probe in 0..<Self.probes {
            let slot = Slot(base, (Int(truncatingIfNeeded: ticket) &+ probe) & (Self.slots - 1))
            guard slot.claim() else { continue }
            slot.write(route: route, id: id)
            slot.open(ticket)
            return InFlightNote(table: self, slot: slot, ticket: ticket)
        }
        return nil
    }

    /// Those being served, those that a crash was in first.
    func entries() -> [Entry] {
        let now = monotonicNanoseconds()
        return (0..<Self.slots).compactMap { Slot(base, $0).entry(at: now) }
            .sorted { ($0.isCulprit ? 0 : 1, -$0.milliseconds) < ($1.isCulprit ? 0 : 1, -$1.milliseconds) }
    }

    struct Entry: Equatable {
        let route: String
        let id: String
        let milliseconds: Int64
        let isCulprit: Bool
    }
}

/// A request noted as being served.
public struct InFlightNote: Sendable {
    let table: InFlight
    let slot: Slot
    let ticket: UInt64

    /// Says that the calling task serves the request too, from here on.
    public func alsoInThisTask() { slot.note(task: currentTask(), ticket) }

    /// To be called once, when the request is served.
    public func end() { slot.close(ticket) }
}

/// Where a request is noted: a state (0 is free, 1 is being written, else the ticket), two tasks, when it began, the signal of the crash that it
/// was in, its route and its id.
struct Slot: @unchecked Sendable {
    static let size = 256
    static let routeBytes = 80
    static let idBytes = 128

    let base: UnsafeMutableRawPointer

    init(_ table: UnsafeMutableRawPointer, _ index: Int) { base = table + index * Self.size }

    private var state: UnsafeMutablePointer<Atomic<UInt64>> { base.assumingMemoryBound(to: Atomic<UInt64>.self) }
    private func word(_ index: Int) -> UnsafeMutablePointer<UInt64> { (base + index * 8).assumingMemoryBound(to: UInt64.self) }
    private func byte(_ offset: Int) -> UnsafeMutablePointer<UInt8> { (base + offset).assumingMemoryBound(to: UInt8.self) }

    func claim() -> Bool {
        state.pointee.load(ordering: .relaxed) == 0
            && state.pointee.compareExchange(expected: 0, desired: 1, ordering: .acquiringAndReleasing).exchanged
    }

    func write(route: String, id: String) {
        word(1).pointee = UInt64(UInt(bitPattern: currentTask()))
        word(2).pointee = 0
        word(3).pointee = monotonicNanoseconds()
        word(4).pointee = 0
        byte(40).pointee = copy(route, to: 48, atMost: Self.routeBytes)
        byte(41).pointee = copy(id, to: 128, atMost: Self.idBytes)
    }

    private func copy(_ text: String, to offset: Int, atMost most: Int) -> UInt8 {
        var text = text
        return text.withUTF8 { bytes in
            let count = min(bytes.count, most)
            if let start = bytes.baseAddress { memcpy(base + offset, start, count) }
            return UInt8(count)
        }
    }

    func open(_ ticket: UInt64) { state.pointee.store(ticket, ordering: .releasing) }

    func note(task: UnsafeRawPointer?, _ ticket: UInt64) {
        if state.pointee.load(ordering: .acquiring) == ticket { word(2).pointee = UInt64(UInt(bitPattern: task)) }
    }

    func close(_ ticket: UInt64) {
        _ = state.pointee.compareExchange(expected: ticket, desired: 0, ordering: .releasing)
    }

    // What follows runs in a signal handler too: no allocations, no locks.

    var isOpen: Bool { word(0).pointee > 1 }
    func isServed(by task: UInt64) -> Bool { isOpen && (word(1).pointee == task || word(2).pointee == task) }
    func blame(_ signal: Int32) { word(4).pointee = UInt64(signal) }
    var route: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base + 48, count: min(Int(byte(40).pointee), Self.routeBytes)) }
    var id: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base + 128, count: min(Int(byte(41).pointee), Self.idBytes)) }

    func entry(at now: UInt64) -> InFlight.Entry? {
        guard isOpen else { return nil }
        let began = word(3).pointee
        return InFlight.Entry(
            route: String(decoding: route, as: UTF8.self), id: String(decoding: id, as: UTF8.self),
            milliseconds: Int64(now > began ? (now - began) / 1_000_000 : 0), isCulprit: word(4).pointee != 0)
    }
}

/// The address of the task that runs on this thread; safe in a signal handler once it was called outside of one.
func currentTask() -> UnsafeRawPointer? {
    withUnsafeCurrentTask { task in task.map { unsafeBitCast($0, to: UnsafeRawPointer.self) } }
}

/// Since the machine started; the same in all processes.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// `MAP_ANONYMOUS`, which the header defines in a way that Swift does not read.
private let mapAnonymous: Int32 = 0x20
