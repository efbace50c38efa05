import Foundation
public import Logging
public import MartletCore
import NIOPosix

/// Writes each message into the log, secrets included: for development only.
public struct LogMailer: Mailer {
    private let logger: Logger

    public init(_ logger: Logger) {
        self.logger = logger
    }

    public func send(_ message: MailMessage) async throws {
        logger.notice(
            "Mail that would be sent", metadata: ["to": "\(message.to)", "subject": "\(message.subject.raw)", "text": "\(message.text)"])
    }
}

/// Writes each message as a file `….eml` into a folder, which is made when it is not there; readable by its owner alone.
public struct FolderMailer: Mailer {
    private let folder: String
    private let logger: Logger
    private let format: MessageFormat

    /// - Parameters:
    ///   - sender: What stands as `From`.
    ///   - logger: Told the name of each file, and nothing of what is in it.
    public init(folder: String, sender: Mailbox, logger: Logger, clock: WallClock = .system) {
        (self.folder, self.logger) = (folder, logger)
        format = MessageFormat(sender: sender, clock: clock)
    }

    public func send(_ message: MailMessage) async throws {
        let file = "\(folder)/\(Identifier<MailMessage>()).eml"
        let bytes = Data(format.bytes(of: message))
        try await NIOThreadPool.singleton.runIfActive { [folder] in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            // Under another name until it is whole: whoever looks for mail finds none that is half written.
            let unfinished = file + ".part"
            guard FileManager.default.createFile(atPath: unfinished, contents: bytes, attributes: [.posixPermissions: 0o600]) else {
                throw MailFailure("A mail could not be written into its folder.")
            }
            try FileManager.default.moveItem(atPath: unfinished, toPath: file)
        }
        logger.notice("A mail was written", metadata: ["file": "\(file)"])
    }
}
