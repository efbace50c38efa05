import Foundation
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Accepts from a socket that other processes accept from too, on a thread of its own.
///
/// NIO's own listener cannot do that: it takes a socket that another process was faster at for a broken one, and traps in debug builds. And
/// this one stops exactly: a connection is either left to the others, or served.
final class SharedAcceptor: Sendable {
    private let socket: Int32
    private let maximum: Int
    private let give: @Sendable (Int32) -> EventLoopFuture<any Channel>
    /// A byte in this pipe makes the thread look up: it is to stop, or has room again.
    private let wakeReader: Int32
    private let wakeWriter: Int32
    private let stopped = Atomic(false)
    private let open = Atomic(0)

    /// - Parameters:
    ///   - socket: Owned from here on.
    ///   - maximum: The most connections that may be open at a time; further ones are left to others, or wait.
    ///   - give: Takes a connection; the future tells when it is being served, or that it was given up.
    init(_ socket: Int32, maximum: Int, give: @escaping @Sendable (Int32) -> EventLoopFuture<any Channel>) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw IOError(errnoCode: errno, reason: "pipe") }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        // Whoever else has the socket gets the same: nobody may wait for a connection that another took.
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        (self.socket, self.maximum, self.give) = (socket, maximum, give)
        (wakeReader, wakeWriter) = (ends[0], ends[1])
    }

    deinit { for descriptor in [wakeReader, wakeWriter] { close(descriptor) } }

    /// Begins, and calls `onEnd` once it was stopped and every connection that it took is being served.
    func start(onEnd: @escaping @Sendable () -> Void) {
        Thread.detachNewThread {
            let taken = DispatchGroup()
            while !self.stopped.load(ordering: .acquiring) { self.step(taken) }
            close(self.socket)
            taken.wait()
            onEnd()
        }
    }

    /// Leaves the connections that are not accepted yet to others. Safe to repeat.
    func stop() {
        stopped.store(true, ordering: .releasing)
        wake()
    }

    private func connectionClosed() {
        if open.subtract(1, ordering: .relaxed).oldValue == maximum { wake() }
    }

    private func wake() {
        var byte: UInt8 = 0
        // When the pipe is full the thread is about to look up anyway.
        _ = write(wakeWriter, &byte, 1)
    }

    private func step(_ taken: DispatchGroup) {
        let hasRoom = open.load(ordering: .relaxed) < maximum
        guard wait(for: hasRoom ? [wakeReader, socket] : [wakeReader], atMost: -1).contains(socket) else { return }
        let connection = accept(socket, nil, nil)
        guard connection >= 0 else { return pauseUnlessTaken() }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        open.add(1, ordering: .relaxed)
        taken.enter()
        give(connection).whenComplete { result in
            taken.leave()
            switch result {
            case .success(let channel): channel.closeFuture.whenComplete { _ in self.connectionClosed() }
            case .failure: self.connectionClosed()
            }
        }
    }

    /// Another process was faster, or the peer is gone already; anything else is a want of descriptors or memory, which passes.
    private func pauseUnlessTaken() {
        if ![EAGAIN, EINTR, ECONNABORTED].contains(errno) { _ = wait(for: [wakeReader], atMost: 100) }
    }

    private func wait(for descriptors: [Int32], atMost milliseconds: Int32) -> [Int32] {
        var waiting = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard poll(&waiting, nfds_t(waiting.count), milliseconds) > 0 else { return [] }
        let ready = waiting.filter { $0.revents != 0 }.map(\.fd)
        if ready.contains(wakeReader) { empty() }
        return ready
    }

    /// The port that a socket listens on.
    static func port(of descriptor: Int32) -> Int {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
            // Both families have the port in the same place.
            return storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { Int(UInt16(bigEndian: $0.pointee.sin_port)) }
        }
    }

    private func empty() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(wakeReader, &bytes, bytes.count) > 0 {}
    }
}
