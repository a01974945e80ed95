using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Turns the stamps of a section into times that never go back over midnight.</summary>
internal sealed class StampReader(StraceFormat format)
{
    public const long Day = 24 * 60 * 60 * NumberText.NanosecondsPerSecond;

    private long _days;

    /// <summary>Time of the last line that had a stamp.</summary>
    public long? Last { get; private set; }

    /// <summary>Time of the next line, or null when it has no stamp.</summary>
    public long? Next(in LinePrefix prefix)
    {
        format.HasRelativeStamps |= prefix.Relative is not null;
        switch (prefix.Stamp)
        {
            case StampKind.TimeOfDay:
                // A clock set back is not midnight.
                bool isNextDay = Last is long last && prefix.Time + _days < last - Day / 2;
                _days += isNextDay ? Day : 0;
                Last = prefix.Time + _days;
                break;
            case StampKind.Epoch:
                Last = prefix.Time;
                break;
            case StampKind.Relative:
                Last = unchecked((Last ?? 0) + prefix.Time);
                break;
            default:
                return null;
        }

        format.Stamps = prefix.Stamp;
        return Last;
    }
}
