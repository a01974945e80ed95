using System.Globalization;
using System.Text.RegularExpressions;

namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>Falsifies the size with which a segment was made, where the segment shows its size
/// later.</summary>
internal sealed partial class SizeForger(LogFacts facts)
{
    private readonly Dictionary<string, CallText> _made = [];

    /// <summary>The falsified sizes that a call gives away.</summary>
    public IEnumerable<Forgery> Forge(CallText call)
    {
        if (facts.HasNamespaces || !facts.HasOrder || !call.Succeeded)
        {
            yield break;
        }

        if (call.Name == "shmget")
        {
            Note(call);
        }
        else if (call.Name == "shmctl" && call.Argument(1).EndsWith(
            "IPC_STAT", StringComparison.Ordinal)
            && _made.Remove(call.Argument(0), out CallText? made))
        {
            string size = SizePattern().Match(call.Exit.Text).Groups[1].Value;
            if (size == made.Argument(1))
            {
                int at = made.Entry.Text.IndexOf(size, StringComparison.Ordinal);
                ulong forged = ulong.Parse(size, CultureInfo.InvariantCulture) + 1;
                yield return new Forgery(
                    made.Entry.Line, "shmget.size", made.Entry.Offset + at, size, $"{forged}",
                    Doubt.None);
            }
        }
    }

    private void Note(CallText call)
    {
        bool isMade = call.Argument(0) == "IPC_PRIVATE"
            || call.Argument(2).Contains("IPC_EXCL", StringComparison.Ordinal);
        if (isMade)
        {
            _made[call.Value] = call;
        }
    }

    [GeneratedRegex(@"shm_segsz=(\d+)")]
    private static partial Regex SizePattern();
}
