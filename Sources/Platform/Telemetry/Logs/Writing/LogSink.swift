import Foundation

/// Where lines go. Only the writer's own thread calls it, and it may take as long as it likes.
protocol LogSink: Sendable {
    /// The most that is given to it at a time, unless one line is longer.
    var batchBytes: Int { get }
    /// Writes whole lines; returns how many bytes of them are there for sure. Never throws, never ends the process.
    mutating func write(_ bytes: [UInt8]) -> Int
    /// Opens again what may have been moved away.
    mutating func reopen()
}

/// A stream that the process was started with.
struct StreamSink: LogSink {
    let descriptor: Int32
    let batchBytes: Int
    /// A line was cut by a failure, so the next one begins on a line of its own.
    private var isTorn = false

    init(descriptor: Int32) {
        self.descriptor = descriptor
        // Writes of this length to a pipe are not mixed with those of other processes (POSIX write, PIPE_BUF).
        batchBytes = Self.isPipe(descriptor) ? 4096 : 256 << 10
    }

    mutating func write(_ bytes: [UInt8]) -> Int {
        if isTorn {
            guard Descriptor.write([UInt8(ascii: "\n")], to: descriptor) == 1 else { return 0 }
            isTorn = false
        }
        let count = Descriptor.write(bytes, to: descriptor)
        isTorn = count > 0 && count < bytes.count && bytes[count - 1] != UInt8(ascii: "\n")
        return count
    }

    func reopen() {}

    private static func isPipe(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
    }
}

enum Descriptor {
    /// Writes all of it, waiting while the other side takes no more; returns how much was written before a failure.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count > 0 { done += count } else if !canGoOn(descriptor) { return done }
        }
        return done
    }

    /// Whether a failed call is worth another: it was interrupted, or the descriptor does not block and is ready now.
    private static func canGoOn(_ descriptor: Int32) -> Bool {
        if errno == EINTR { return true }
        guard errno == EAGAIN else { return false }
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&waiting, 1, -1) >= 0 || errno == EINTR
    }
}

/// `write`, by a name that the methods above do not hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
