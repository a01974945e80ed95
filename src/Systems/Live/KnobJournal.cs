using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace ShmCheck.Systems.Live;

/// <summary>What has to be undone on the machine, on disk before it is done: whoever comes next
/// repairs what a process that was killed has left behind.</summary>
/// <remarks>One action a line, undone from the last to the first; see <c>docs/live-linux.md</c>.
/// A journal of another boot has nothing to say, because no knob outlives the kernel; only files
/// do.</remarks>
internal sealed class KnobJournal
{
    private const string Header = "shmcheck journal 1";
    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";
    private readonly string _path;
    private readonly List<UndoAction> _actions = [];

    /// <summary>A new, empty journal.</summary>
    /// <param name="path">Where it is kept.</param>
    public KnobJournal(string path) => _path = path;

    /// <summary>Undoes what a journal says, if there is one, and removes it.</summary>
    /// <param name="path">Where it is kept.</param>
    /// <returns>What was undone, in words.</returns>
    public static IReadOnlyList<string> Repair(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        string[] lines = File.ReadAllLines(path);
        var done = new List<string>();
        if (lines.Length >= 2 && lines[0] == Header)
        {
            bool sameBoot = lines[1] == BootId();
            foreach (string line in lines.Skip(2).Reverse())
            {
                if (UndoAction.Parse(line) is { } action && (sameBoot || action.OutlivesKernel)
                    && action.Undo())
                {
                    done.Add(action.ToString());
                }
            }
        }

        File.Delete(path);
        return done;
    }

    /// <summary>Notes what has to be undone; it is on disk when this returns.</summary>
    public void Add(UndoAction action)
    {
        if (_actions.Contains(action))
        {
            return;
        }

        _actions.Add(action);
        string written = _path + ".new";
        using (var file = new FileStream(written, FileMode.Create, FileAccess.Write))
        {
            using var writer = new StreamWriter(file, leaveOpen: true);
            writer.Write($"{Header}\n{BootId()}\n");
            foreach (UndoAction noted in _actions)
            {
                writer.Write($"{noted}\n");
            }

            writer.Flush();
            file.Flush(flushToDisk: true);
        }

        File.Move(written, _path, overwrite: true);
    }

    /// <summary>Undoes everything, from the last to the first, and removes the journal.</summary>
    public void UndoAll()
    {
        for (int at = _actions.Count - 1; at >= 0; at--)
        {
            _actions[at].Undo();
        }

        _actions.Clear();
        File.Delete(_path);
    }

    private static string BootId() =>
        File.Exists(BootIdFile) ? File.ReadAllText(BootIdFile).Trim() : "unknown";
}

/// <summary>What undoes something that was done to the machine. As text: a word for the kind,
/// then its arguments.</summary>
internal abstract record UndoAction
{
    /// <summary>Whether what was done is still there after a reboot.</summary>
    public virtual bool OutlivesKernel => false;

    /// <summary>Reads the text of an action; null when it is none.</summary>
    public static UndoAction? Parse(string line)
    {
        string[] words = line.Split(' ', 3);
        return words switch
        {
            ["write", var path, var text] => new WriteFile(path, text),
            ["swapoff", var device] => new StopSwap(device),
            ["reset-zram", var device] => new ResetZram(device),
            ["delete", var path] => new DeleteFile(path),
            ["end", var pid, var start] when int.TryParse(
                pid, CultureInfo.InvariantCulture, out int number) => new EndProcess(number, start),
            _ => null,
        };
    }

    /// <summary>Undoes it; does nothing where that has been done.</summary>
    /// <returns>Whether there was something to undo.</returns>
    public abstract bool Undo();

    /// <summary>Runs what may fail because the thing is gone.</summary>
    private protected static bool Try(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>A file under /proc or /sys gets its text back.</summary>
    public sealed record WriteFile(string Path, string Text) : UndoAction
    {
        /// <inheritdoc/>
        public override string ToString() => $"write {Path} {Text}";

        /// <inheritdoc/>
        public override bool Undo() =>
            Knob.Read(Path) != Text && Try(() => File.WriteAllText(Path, Text));
    }

    /// <summary>A swap device is in use no more.</summary>
    public sealed record StopSwap(string Device) : UndoAction
    {
        /// <inheritdoc/>
        public override string ToString() => $"swapoff {Device}";

        /// <inheritdoc/>
        public override bool Undo() => SwapDevice.Stop(Device);
    }

    /// <summary>A zram device holds nothing any more.</summary>
    public sealed record ResetZram(string Device) : UndoAction
    {
        /// <inheritdoc/>
        public override string ToString() => $"reset-zram {Device}";

        /// <inheritdoc/>
        public override bool Undo() =>
            Knob.Read($"/sys/block/{Device}/disksize") is not (null or "0")
            && Try(() => File.WriteAllText($"/sys/block/{Device}/reset", "1"));
    }

    /// <summary>A file goes.</summary>
    public sealed record DeleteFile(string Path) : UndoAction
    {
        /// <inheritdoc/>
        public override bool OutlivesKernel => true;

        /// <inheritdoc/>
        public override string ToString() => $"delete {Path}";

        /// <inheritdoc/>
        public override bool Undo() => File.Exists(Path) && Try(() => File.Delete(Path));
    }

    /// <summary>A process ends, unless it has ended and its pid is another's.</summary>
    public sealed record EndProcess(int Pid, string StartTime) : UndoAction
    {
        /// <summary>The action for a process that runs.</summary>
        public static EndProcess Of(int pid) => new(pid, StartTimeOf(pid) ?? "0");

        /// <inheritdoc/>
        public override string ToString() => $"end {Pid} {StartTime}";

        /// <inheritdoc/>
        public override bool Undo()
        {
            if (StartTimeOf(Pid) != StartTime)
            {
                return false;
            }

            try
            {
                using Process process = Process.GetProcessById(Pid);
                process.Kill(entireProcessTree: true);
                process.WaitForExit(5000);
                return true;
            }
            catch (Exception problem) when (
                problem is ArgumentException or InvalidOperationException or Win32Exception)
            {
                return false;
            }
        }

        // Field 22 of /proc/PID/stat; the second one is in parentheses and may have spaces.
        private static string? StartTimeOf(int pid) =>
            Knob.Read($"/proc/{pid}/stat") is { } stat
                ? stat[(stat.LastIndexOf(')') + 2)..].Split(' ').ElementAtOrDefault(19) : null;
    }
}
