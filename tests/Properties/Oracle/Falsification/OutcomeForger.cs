using System.Globalization;

namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>Falsifies results and errors of the System V calls.</summary>
internal sealed class OutcomeForger(LogFacts facts)
{
    private long _highest;

    /// <summary>The falsified outcomes of a call.</summary>
    public IEnumerable<Forgery> Forge(CallText call, Attaches attaches)
    {
        IEnumerable<(string, string, Doubt)> forged = call.Name switch
        {
            "shmget" => call.Succeeded ? Got(call) : NotGot(call),
            "shmat" => call.Succeeded ? Attached(call, attaches) : NotAttached(call),
            "shmdt" => Detached(call),
            "shmctl" => call.Succeeded ? Controlled(call) : NotControlled(call),
            _ => [],
        };
        foreach ((string field, string text, Doubt doubt) in forged)
        {
            yield return new Forgery(
                call.Outcome.Line, field, call.Outcome.Offset, call.Outcome.Text, text, doubt);
        }

        if (call.Name == "shmget" && call.Succeeded)
        {
            _highest = Math.Max(_highest, Value(call));
        }
    }

    /// <summary>An error as strace prints it.</summary>
    public static string Failure(string name) => $"-1 {name} ({ErrorTexts.Of(name)})";

    private Doubt Order(CallText call) => call.IsOverlapped ? Doubt.Overlap
        : !facts.HasStart ? Doubt.UnknownStart
        : facts.ShowsTasks ? Doubt.None : Doubt.HiddenCalls;

    private Doubt Rights(CallText call) => Order(call) is not Doubt.None and var doubt ? doubt
        : facts.ShowsCredentials ? Doubt.None : Doubt.HiddenCalls;

    private Doubt Mappings(CallText call) => Order(call) is not Doubt.None and var doubt ? doubt
        : facts.ShowsMappings ? Doubt.None : Doubt.HiddenCalls;

    private static long Value(CallText call) =>
        long.Parse(call.Value, CultureInfo.InvariantCulture);

    private IEnumerable<(string, string, Doubt)> Got(CallText call)
    {
        string flags = call.Argument(2);
        bool isMade = call.Argument(0) is "IPC_PRIVATE" or "0"
            || flags.Contains("IPC_CREAT", StringComparison.Ordinal);
        bool isExclusive = flags.Contains("IPC_EXCL", StringComparison.Ordinal) && isMade;
        yield return ("shmget.id", $"{Value(call) + 1}",
            facts.HasHistory ? Doubt.UnknownStart : Order(call));
        if (isMade)
        {
            // Names of flags are not to be seen under -X raw.
            yield return ("shmget.fails", Failure("ENOENT"), Order(call));
        }
        else if (!isExclusive && !char.IsAsciiDigit(flags.FirstOrDefault()))
        {
            yield return ("shmget.fails", Failure("EEXIST"), Order(call));
        }

        yield return ("shmget.fails", Failure("ENOMEM"), Doubt.Shortage);
    }

    private IEnumerable<(string, string, Doubt)> NotGot(CallText call)
    {
        string[] others = ["EEXIST", "ENOENT", "EINVAL", "EACCES", "ENOSPC"];
        foreach (string other in others.Where(other => other != call.Error))
        {
            yield return ("shmget.errno", Failure(other), Rights(call));
        }

        Doubt doubt = call.Error is "ENOMEM" or "ENOSPC" ? Doubt.Shortage : Rights(call);
        yield return ("shmget.succeeds", $"{_highest + 1}", doubt);
    }

    private IEnumerable<(string, string, Doubt)> Attached(CallText call, Attaches attaches)
    {
        ulong start = Attaches.Address(call.Value) ?? 0;
        yield return ("shmat.address.unaligned", $"0x{start + 1:x}", Doubt.None);
        Doubt mappings = facts.ShowsMappings ? Doubt.None : Doubt.HiddenCalls;
        foreach (LiveAttach live in attaches.Of(call.Task).TakeLast(1))
        {
            if (call.Argument(1) == "NULL")
            {
                yield return ("shmat.address.overlap", $"0x{live.Address:x}", mappings);
            }
        }

        bool isFree = call.Argument(1) == "NULL" && call.Argument(2) is "0" or "SHM_RDONLY";
        if (call.Argument(1) != "NULL")
        {
            yield return ("shmat.address.elsewhere", $"0x{start + 0x100000:x}", Doubt.None);
        }

        yield return ("shmat.fails", Failure("EACCES"), Rights(call));
        yield return ("shmat.fails", Failure("EINVAL"), isFree ? Order(call) : Mappings(call));
        yield return ("shmat.fails", Failure("ENOMEM"), Doubt.Shortage);
    }

    private IEnumerable<(string, string, Doubt)> NotAttached(CallText call)
    {
        string other = call.Error == "EINVAL" ? "EACCES" : "EINVAL";
        bool hasAddress = call.Argument(1) is not ("NULL" or "0");
        ulong asked = Attaches.Address(call.Argument(1)) ?? 0;
        bool isUnaligned = asked % 4096 != 0
            && !call.Entry.Text.Contains("SHM_RND", StringComparison.Ordinal);
        Doubt place = call.Error == "ENOMEM" ? Doubt.Shortage
            : isUnaligned ? Doubt.None
            : hasAddress ? Doubt.HiddenCalls : Order(call);
        yield return ("shmat.errno", Failure(other),
            hasAddress && call.Error != "EINVAL" ? Doubt.HiddenCalls : Rights(call));
        yield return ("shmat.errno", Failure("EIDRM"), Order(call));
        string address = hasAddress ? call.Argument(1) : "0x7f1200000000";
        yield return ("shmat.succeeds", address, place);
    }

    private IEnumerable<(string, string, Doubt)> Detached(CallText call)
    {
        yield return call.Succeeded
            ? ("shmdt.fails", Failure("EINVAL"), Mappings(call))
            : ("shmdt.succeeds", "0", Mappings(call));
        if (!call.Succeeded)
        {
            yield return ("shmdt.errno", Failure("EACCES"), Doubt.None);
        }
    }

    private IEnumerable<(string, string, Doubt)> Controlled(CallText call)
    {
        string command = call.Argument(1).Replace("IPC_64|", "", StringComparison.Ordinal);
        string name = command switch
        {
            "SHM_STAT" or "SHM_STAT_ANY" => "shmctl.id",
            "IPC_INFO" or "SHM_INFO" => "shmctl.highest",
            _ => "",
        };
        if (name.Length > 0)
        {
            Doubt doubt = name == "shmctl.id" ? Doubt.None : Order(call);
            yield return (name, $"{Value(call) + 1}", doubt);
        }
        else if (command is "IPC_RMID" or "IPC_SET" or "SHM_LOCK" or "SHM_UNLOCK")
        {
            yield return ($"{command}.fails", Failure("EPERM"), Rights(call));
            yield return ($"{command}.fails", Failure("EINVAL"), Order(call));
        }
    }

    private IEnumerable<(string, string, Doubt)> NotControlled(CallText call)
    {
        string command = call.Argument(1).Replace("IPC_64|", "", StringComparison.Ordinal);
        string[] others = ["EINVAL", "EACCES", "EPERM", "EIDRM"];
        foreach (string other in others.Where(other => other != call.Error))
        {
            yield return ("shmctl.errno", Failure(other), Rights(call));
        }

        if (command is "IPC_RMID" or "SHM_LOCK" or "SHM_UNLOCK" && call.Error != "ENOMEM")
        {
            yield return ("shmctl.succeeds", "0", Rights(call));
        }
    }
}
