#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// A TCP socket that listens, for all workers.
enum ListeningSocket {
    private static let backlog: Int32 = 1024

    /// Opens one at the first address of a host; no program that is started inherits it by itself.
    static func open(host: String, port: Int) throws -> Int32 {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, String(port), &hints, &found)
        guard result == 0, let address = found?.pointee else {
            throw SystemFailure("find the address of \(host)", because: String(cString: gai_strerror(result)))
        }
        defer { freeaddrinfo(found) }
        let descriptor = try Descriptor.high(socket(address.ai_family, address.ai_socktype, address.ai_protocol), "open a socket")
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, address.ai_addr, address.ai_addrlen) == 0, listen(descriptor, backlog) == 0 else {
            let failure = SystemFailure("listen on \(host):\(port)")
            close(descriptor)
            throw failure
        }
        return descriptor
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
}

/// Descriptors that programs started here do not inherit, unless they are given to them.
enum Descriptor {
    /// Moves a fresh descriptor out of the way of those that a worker is given, and closes the one it was. Throws when there was none.
    static func high(_ fresh: Int32, _ what: String) throws -> Int32 {
        guard fresh >= 0 else { throw SystemFailure(what) }
        defer { close(fresh) }
        let moved = fcntl(fresh, F_DUPFD_CLOEXEC, 16)
        guard moved >= 0 else { throw SystemFailure(what) }
        return moved
    }

    static func keepToThisProgram(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

    /// Makes reading and writing return at once.
    static func neverWait(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) }

    /// What can be read without waiting; `nil` at the end, and for one that is broken.
    static func read(_ descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 1024)
        while true {
            let count = recvOrRead(descriptor, &bytes)
            if count > 0 { return Array(bytes[..<count]) }
            if count == 0 { return nil }
            if errno == EINTR { continue }
            return errno == EAGAIN ? [] : nil
        }
    }

    /// Writes small texts, which a socket takes whole; what a peer that went away, or does not read, does not take is lost.
    static func write(_ descriptor: Int32, _ text: String) {
        let bytes = Array(text.utf8)
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private static func recvOrRead(_ descriptor: Int32, _ bytes: inout [UInt8]) -> Int {
        systemRead(descriptor, &bytes, bytes.count)
    }
}

/// `read`, by a name that the method above does not hide.
private func systemRead(_ descriptor: Int32, _ bytes: inout [UInt8], _ count: Int) -> Int {
    read(descriptor, &bytes, count)
}
