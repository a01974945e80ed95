using Spectre.Console;

namespace ShmCheck.Cli.Presentation;

/// <summary>One line on the terminal that is written over and over. Silent when standard error is
/// not a terminal.</summary>
internal sealed class StatusLine : IDisposable
{
    private const string Erase = "\r\u001b[K";
    private readonly bool _shown = !Console.IsErrorRedirected;
    private readonly Lock _lock = new();

    public void Show(string text)
    {
        if (!_shown)
        {
            return;
        }

        lock (_lock)
        {
            int width = Math.Max(Terminal.Error.Profile.Width - 1, 1);
            Terminal.Error.Write(new ControlCode(Erase));
            Terminal.Error.Write(new Text(text.Length <= width ? text : text[..width]));
        }
    }

    public void Dispose()
    {
        if (_shown)
        {
            Terminal.Error.Write(new ControlCode(Erase));
        }
    }
}
