using System.Globalization;

namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>An attach that is certainly still there.</summary>
/// <param name="Task">The task that made it.</param>
/// <param name="Address">Where.</param>
/// <param name="IsReadOnly">Under SHM_RDONLY.</param>
internal readonly record struct LiveAttach(string Task, ulong Address, bool IsReadOnly);

/// <summary>The attaches that are certainly still there, as the calls show them. Forgets too much
/// rather than too little.</summary>
internal sealed class Attaches
{
    /// <summary>More than any segment of the logs is long: what is unmapped nearer than this to
    /// an attach may have hit it.</summary>
    private const ulong Reach = 1UL << 32;

    private readonly List<LiveAttach> _live = [];

    /// <summary>Attaches of a task.</summary>
    public IEnumerable<LiveAttach> Of(string task) => _live.Where(live => live.Task == task);

    /// <summary>The attach of a task that begins at an address, if there is one.</summary>
    public LiveAttach? At(string task, string address) =>
        Address(address) is { } value && Of(task).Any(live => live.Address == value)
            ? Of(task).First(live => live.Address == value) : null;

    /// <summary>An address of a text as strace prints it; null for anything else.</summary>
    public static ulong? Address(string text) =>
        text.StartsWith("0x", StringComparison.Ordinal) && ulong.TryParse(
            text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong value)
            ? value : null;

    /// <summary>Learns what a call changed.</summary>
    public void Note(CallText call)
    {
        ulong address = Address(call.Argument(0)) ?? 0;
        switch (call.Name)
        {
            case "shmat" when call.Succeeded && Address(call.Value) is { } start:
                _live.RemoveAll(live => IsNear(live, start) && call.Argument(1) != "NULL");
                bool isReadOnly = call.Entry.Text.Contains("SHM_RDONLY", StringComparison.Ordinal);
                _live.Add(new LiveAttach(call.Task, start, isReadOnly));
                break;
            case "shmdt" when call.Error is null:
                _live.RemoveAll(live => live.Address == address);
                break;
            case "munmap" or "mremap" or "mprotect":
                _live.RemoveAll(live => IsNear(live, address));
                break;
            case "mmap" or "mmap2" when Address(call.Value) is { } mapped
                && call.Entry.Text.Contains("MAP_FIXED", StringComparison.Ordinal):
                _live.RemoveAll(live => IsNear(live, mapped));
                break;
            case "execve" or "execveat" or "exit" or "exit_group":
                _live.RemoveAll(live => live.Task == call.Task);
                break;
        }
    }

    private static bool IsNear(LiveAttach live, ulong address) =>
        address < live.Address + Reach && address + Reach > live.Address;
}
