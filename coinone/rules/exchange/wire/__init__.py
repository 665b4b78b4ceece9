"""From signed bytes to typed actions: the border where everything foreign is checked."""
