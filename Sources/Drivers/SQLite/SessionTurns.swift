import MartletCore
import MartletStorage

/// How a writer's turn ended.
enum TurnEnd: Sendable {
    /// What it wrote awaits the group's commit.
    case kept
    /// What it wrote is rolled back, alone; with the reason unless its own outcome tells it.
    case undone((any Error)?)
    /// The whole group is rolled back.
    case lost(any Error)
    /// It had been ended already.
    case expired
}

extension Session {
    /// Gives the turn to a member: opens the group's transaction, or a savepoint when there is earlier work to protect from it.
    ///
    /// Returns why that failed; the group is then lost.
    func beginTurn(_ number: UInt64, changesSchema: Bool = false) -> (any Error)? {
        do {
            if groupHasWork {
                try execute("SAVEPOINT member")
            } else if changesSchema {
                try beginSchemaTransaction()
            } else {
                try execute("BEGIN IMMEDIATE")
            }
            (turn, doom, savepoints) = (number, nil, 0)
            return nil
        } catch {
            return abandon(error)
        }
    }

    /// Keeps or undoes what the turn's member did.
    func endTurn(_ number: UInt64, keeps: Bool) -> TurnEnd {
        guard turn == number else { return .expired }
        turn = 0
        // On a full disk, for instance, SQLite rolls back by itself.
        guard isInTransaction else { return .lost(abandon(Self.rolledBack)) }
        do {
            guard keeps, !hasBrokenReferences else {
                try undoTurn()
                return .undone(keeps ? SQLFailure(.foreignKey, code: "787") : nil)
            }
            if groupHasWork { try execute("RELEASE member") }
            groupHasWork = true
            return .kept
        } catch {
            return .lost(abandon(error))
        }
    }

    /// Makes the group's work durable, or returns why it is lost. A group whose members all failed has none.
    func commitGroup() -> (any Error)? {
        guard groupHasWork else { return nil }
        do {
            try execute("COMMIT")
            groupHasWork = false
            endSchemaTransaction()
            return nil
        } catch {
            return abandon(error)
        }
    }

    /// Opens a savepoint within the turn and returns its depth.
    func beginSavepoint() throws -> Int {
        try execute("SAVEPOINT part\(savepoints + 1)")
        savepoints += 1
        return savepoints
    }

    /// Keeps or undoes what was done since the savepoint was opened. Throws the failure of a statement that forbade to keep it.
    func endSavepoint(_ depth: Int, keeps: Bool) throws {
        guard savepoints == depth else {
            // The other one is told as well when it ends.
            (savepoints, doom) = (0, TransactionMistake.overlap)
            throw TransactionMistake.overlap
        }
        let failure = doom
        do {
            if !keeps || failure != nil { try execute("ROLLBACK TO part\(depth)") }
            try execute("RELEASE part\(depth)")
        } catch {
            // The engine has ended the transaction by itself: there is nothing to go on with.
            doom = failure ?? error
            throw doom ?? error
        }
        (savepoints, doom) = (depth - 1, nil)
        if keeps, let failure { throw failure }
    }

    private func undoTurn() throws {
        guard groupHasWork else {
            try execute("ROLLBACK")
            return endSchemaTransaction()
        }
        try execute("ROLLBACK TO member")
        try execute("RELEASE member")
    }

    /// Rolls back whatever is open and returns what the members are told.
    private func abandon(_ error: any Error) -> any Error {
        groupHasWork = false
        // A failure here leaves the transaction open: the next BEGIN then fails, and says so to its caller.
        if isInTransaction { do { try execute("ROLLBACK") } catch {} }
        endSchemaTransaction()
        return (error as? SQLFailure)?.thrown ?? error
    }

    /// Foreign keys cannot be switched inside a transaction, and with them on a table that others refer to cannot be rebuilt.
    private func beginSchemaTransaction() throws {
        isChangingSchema = true
        try execute("PRAGMA foreign_keys = OFF")
        try execute("BEGIN EXCLUSIVE")
    }

    private func endSchemaTransaction() {
        guard isChangingSchema else { return }
        // The statement cannot fail: no file is touched.
        do { try execute("PRAGMA foreign_keys = ON") } catch {}
        isChangingSchema = false
    }

    private static let rolledBack = SQLFailure(.ioError, code: "rolled_back", subject: "the engine ended the transaction")
}
